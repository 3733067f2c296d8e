/**
 * What an engine's command that failed says went wrong, without the rest of what it printed. Undefined for an error that is
 * none of a command's. Pure.
 *
 * The Automation API's error carries the exit code, all of stdout and all of stderr, the latter twice.
 */
export function engineSaid(message: string): string[] | undefined {
  if (!/^code: -?\d+\s*\n\s*stdout:/.test(message) && !/^Command failed with exit code/.test(message)) {
    return /^error: /.test(message) ? [reasonsIn(message).join("\n") || message] : undefined;
  }
  const stderr = /\n\s*stderr: ([\s\S]*?)(?:\n\s*err\?: |$)/.exec(message)?.[1] ?? message;
  const reasons = reasonsIn(stderr);
  return reasons.length > 0 ? reasons : ["the engine ended without saying why"];
}

/** Lines that begin with `error:`, each with the lines that go on with it, once each. */
function reasonsIn(text: string): string[] {
  const reasons: string[] = [];
  let open = false;
  for (const line of text.split("\n")) {
    const found = /^\s*error: (.*)$/.exec(line);
    if (found !== null) reasons.push((found[1] ?? "").trim());
    // A line of what would change begins with a sign; one in brackets is a reason that the Kubernetes provider gives.
    else if (open && /^\s+\S/.test(line) && !/^\s*[+~-]\s+[^[\s]/.test(line))
      reasons.push(`${reasons.pop()}\n${line.trim()}`);
    open = found !== null || (open && /^\s+\S/.test(line));
  }
  const real = [...new Set(reasons.map((each) => each.replace(/^error: /, "")))];
  return real.filter((each) => each !== "" && !isAftermath(each));
}

/** What the engine says only because something else failed before. */
export function isAftermath(message: string): boolean {
  return /^(?:update|preview|destroy|refresh) failed$/.test(message);
}
