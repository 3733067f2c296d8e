import type { RepositoryName } from "../../../components/github/model/names.ts";
import type { GitHub } from "./client.ts";

/** GitHub takes this many characters. */
const longest = 65_536;

/** How the comment of a kind is known again. */
function markOf(kind: string): string {
  return `<!-- kiln:${kind} -->`;
}

/** What a comment says: its mark first, and cut where GitHub would refuse it. Pure. */
export function commentBody(kind: string, text: string): string {
  const whole = `${markOf(kind)}\n${text}`;
  if (whole.length <= longest) return whole;
  const end = "\n\n… cut here: the whole is in the run's summary.";
  return `${whole.slice(0, longest - end.length)}${end}`;
}

/**
 * Says something on a pull request: in the comment that said it before, or in a new one. Only a bot's comment is taken for
 * one's own, since anyone can write the mark.
 */
export async function stickyComment(
  github: GitHub,
  { owner, name: repo }: RepositoryName,
  pullRequest: number,
  comment: { readonly kind: string; readonly text: string },
): Promise<"created" | "updated" | "same"> {
  const at = { owner, repo };
  const body = commentBody(comment.kind, comment.text);
  for (let page = 1; ; page++) {
    const { data } = await github.issues.listComments({
      ...at,
      issue_number: pullRequest,
      per_page: 100,
      page,
    });
    const own = data.find(
      (each) => each.user?.type === "Bot" && each.body?.startsWith(markOf(comment.kind)) === true,
    );
    if (own?.body === body) return "same";
    if (own !== undefined) {
      await github.issues.updateComment({ ...at, comment_id: own.id, body });
      return "updated";
    }
    if (data.length < 100) break;
  }
  await github.issues.createComment({ ...at, issue_number: pullRequest, body });
  return "created";
}
