/*
 * The little of git's wire format that the sandbox has to understand itself: which refs a push wants to move, and how it is told
 * no. Source: gitprotocol-pack(5), gitprotocol-common(5).
 */

/** One ref that a push wants to make, move or delete. */
export interface RefCommand {
  readonly ref: string;
  /** Undefined for one that is to be made. */
  readonly before: string | undefined;
  /** Undefined for one that is to go. */
  readonly after: string | undefined;
}

const nothing = /^0+$/;

/** The commands before the pack, up to the first flush, and what the client can do. */
export function commandsOf(body: Buffer): { commands: RefCommand[]; capabilities: string[] } {
  const commands: RefCommand[] = [];
  let capabilities: string[] = [];
  for (let at = 0; at + 4 <= body.length; ) {
    const length = Number.parseInt(body.toString("latin1", at, at + 4), 16);
    if (!Number.isInteger(length) || length < 5) break;
    const line = body.toString("utf8", at + 4, at + length);
    at += length;
    const [command = "", offered] = line.split("\0");
    if (offered !== undefined) capabilities = offered.trim().split(" ");
    const [before = "", after = "", ref] = command.trim().split(" ");
    // What is no command says where a shallow clone ends.
    if (ref === undefined) continue;
    commands.push({
      ref,
      before: nothing.test(before) ? undefined : before,
      after: nothing.test(after) ? undefined : after,
    });
  }
  return { commands, capabilities };
}

/** The answer to a push of which nothing was taken. */
export function refusedReport(
  commands: readonly RefCommand[],
  refused: readonly { ref: string; reason: string }[],
  capabilities: readonly string[],
): Buffer {
  const lines = commands.map(({ ref }) => {
    const reason = refused.find((each) => each.ref === ref)?.reason ?? "another ref of this push was refused";
    return pktLine(`ng ${ref} ${reason}\n`);
  });
  const report = Buffer.concat([pktLine("unpack ok\n"), ...lines, flush]);
  if (!capabilities.includes("side-band-64k")) return report;
  return Buffer.concat([pktLine(Buffer.concat([Buffer.from([1]), report])), flush]);
}

export const flush = Buffer.from("0000");

export function pktLine(content: string | Buffer): Buffer {
  const bytes = Buffer.from(content);
  return Buffer.concat([Buffer.from((bytes.length + 4).toString(16).padStart(4, "0")), bytes]);
}
