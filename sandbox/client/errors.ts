/** Refusals that speak of how things are, and not of what was asked: what failed, and what to do. Why, the sandbox says. */
const states: Readonly<Record<string, { readonly what: string; readonly next: string }>> = {
  PortTaken: {
    what: "the sandbox's Kubernetes has lost its port",
    next: "End that program, then run it again.",
  },
  KubernetesStopped: {
    what: "the sandbox's Kubernetes was stopped while it was starting",
    next: "Run it again: that starts it (`kiln sandbox kubernetes stop` in another terminal ends it).",
  },
  ControlPlaneMissing: {
    what: "a part of the Kubernetes control plane is gone",
    next: "Run `kiln engine --control-plane`, which provides it again, then run this again.",
  },
};

/** What the sandbox refused in such a state; undefined for what asks for something else than there is. Pure. */
export function stateRefusal(code: string, why: string): SandboxError | undefined {
  const state = states[code];
  return state === undefined ? undefined : new SandboxError(code, state.what, why, state.next);
}

/** Something went wrong with the sandbox itself: what, why in plain words, and what to do next. */
export class SandboxError extends Error {
  readonly code: string;
  override readonly cause: string;
  readonly next: string;
  /** Whether who asked, asked for what there is not. */
  readonly usage: boolean;

  constructor(code: string, message: string, cause: string, next: string, usage = false) {
    super(message);
    this.name = "SandboxError";
    this.code = code;
    this.cause = cause;
    this.next = next;
    this.usage = usage;
  }
}
