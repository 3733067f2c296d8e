import type { Explanation } from "./explanation.ts";

const goesOn = "What was made until then stays on record, and the next run goes on from there.";

/** What is being worked on, is in the way, or asks for patience. */
export const busyErrors: readonly Explanation[] = [
  {
    codes: ["TooManyRequests"],
    transient: true,
    what: "the cloud is throttling the requests",
    why: "A subscription may send only so many requests a second, and retrying did not help.",
    consequence: goesOn,
    next: "Wait a minute and run it again; it goes on where it stopped.",
  },
  {
    codes: ["AccountProvisioningStateInvalid"],
    transient: true,
    what: "the new account is not ready for deployments yet",
    why: "Azure says that an account has succeeded a moment before it takes deployments.",
    consequence: `Kiln tries again by itself a few times. ${goesOn}`,
    next: "Run it again in a minute.",
  },
  {
    codes: ["RequestConflict"],
    transient: true,
    what: "the account is busy with something else",
    why: "Another operation on the same account is under way, perhaps one that an earlier run began.",
    consequence: `An account works on one deployment at a time. Kiln tries again by itself a few times. ${goesOn}`,
    next: "Run it again in a minute.",
  },
  {
    codes: ["CannotDeleteResource"],
    what: "something still hangs on what was to be deleted",
    why: "An account is not deleted while it has model deployments; there is one that is not on record.",
    consequence: "It stays, its quota is still in use, and its name is held.",
    next: "Delete the deployments that the message names, then run `kiln down` again.",
  },
  {
    codes: ["ResourceGroupDeletionBlocked", "ResourceGroupDeletionTimeout"],
    what: "the resource group could not be deleted",
    why: "Something in it does not let itself be deleted.",
    consequence: "Of what is in it some may be gone and some not; the group stays on record.",
    next: "Look at what the message names, delete it or lift what holds it, then run `kiln down` again.",
  },
  {
    codes: ["ResourceGroupBeingDeleted"],
    transient: true,
    what: "the resource group is on its way out",
    why: "An earlier deletion of it is not over yet.",
    consequence: "Nothing can be made in it before it is gone.",
    next: "Run it again in a few minutes.",
  },
  {
    codes: ["ScopeLocked"],
    what: "a lock forbids it",
    why: "Someone put a resource lock on the resource, its group or the subscription.",
    consequence: "Nothing below the lock is changed or deleted.",
    next: "Have the lock removed by who set it (`az lock list`), then run it again.",
  },
  {
    codes: ["SandboxStorageFailed"],
    what: "the sandbox cannot write its data",
    why: "The disk that holds its data folder is full or not writable.",
    consequence: "What it had answered before is kept.",
    next: "Free some space, then run it again; it goes on where it stopped.",
  },
];
