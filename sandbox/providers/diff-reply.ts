import type * as Messages from "@pulumi/pulumi/proto/provider_pb.js";
import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import type { PropertyChange } from "./diff.ts";
import type { ConfigDifference } from "./provider.ts";

/** A difference on the wire. */
export function diffReply(
  changes: readonly PropertyChange[],
  deleteBeforeReplace: boolean,
): Messages.DiffResponse {
  const { DiffChanges } = providerProto.DiffResponse;
  const kinds = providerProto.PropertyDiff.Kind;
  const reply = new providerProto.DiffResponse()
    .setChanges(changes.length === 0 ? DiffChanges.DIFF_NONE : DiffChanges.DIFF_SOME)
    .setDiffsList([...new Set(changes.map((change) => rootOf(change.path)))])
    .setReplacesList(changes.filter((change) => change.replace).map((change) => change.path))
    .setDeletebeforereplace(deleteBeforeReplace)
    .setHasdetaileddiff(changes.length > 0);
  const details = reply.getDetaileddiffMap();
  for (const { path, change, replace } of changes) {
    const kind = {
      add: replace ? kinds.ADD_REPLACE : kinds.ADD,
      delete: replace ? kinds.DELETE_REPLACE : kinds.DELETE,
      update: replace ? kinds.UPDATE_REPLACE : kinds.UPDATE,
    }[change];
    details.set(path, new providerProto.PropertyDiff().setKind(kind).setInputdiff(true));
  }
  return reply;
}

/** A difference of a provider's configuration on the wire. */
export function configReply({ changed, replaces }: ConfigDifference): Messages.DiffResponse {
  const { DiffChanges } = providerProto.DiffResponse;
  return new providerProto.DiffResponse()
    .setChanges(changed.length === 0 ? DiffChanges.DIFF_NONE : DiffChanges.DIFF_SOME)
    .setDiffsList([...changed])
    .setReplacesList([...replaces]);
}

function rootOf(path: string): string {
  return path.split(/[.[]/)[0] ?? path;
}
