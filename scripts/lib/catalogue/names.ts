import type { Explanation } from "./explanation.ts";

const whole = "What was made until then stays on record, and the next run goes on from there.";

/** Names that are held, by the living or the deleted. */
export const nameErrors: readonly Explanation[] = [
  {
    codes: ["AlreadyExists"],
    message: /cannot create already existing resource/,
    what: "a resource that was to be made exists already",
    why: "The cloud has it, but it is not on record in this state backend: the state was lost, or someone else made it.",
    consequence: "Kiln neither takes it over nor changes it.",
    next: "Import it (`pulumi import`), or delete it if nobody needs it, then run it again; a sandbox begins anew after `kiln sandbox reset`.",
  },
  {
    codes: ["FlagMustBeSetForRestore"],
    what: "an account of this name was deleted not long ago and still holds the name",
    why: "Azure keeps deleted accounts for 48 hours, in the region where they were.",
    consequence: "Until it is purged, or the time is over, nobody can make an account of that name.",
    next: "Run `kiln down` for the environment, which purges what is its own, then `kiln up` again.",
  },
  {
    codes: ["CanNotRestoreANonExistingResource"],
    what: "an account was to be restored that nobody deleted",
    why: "It was purged, or its 48 hours are over; restoring is only possible before that.",
    consequence: "It can only be made anew, with new keys.",
    next: "Run it again: it is made anew then.",
  },
  {
    codes: ["CustomDomainInUse"],
    what: "the account's subdomain is taken",
    why: "Subdomains are global: another account, live or soft-deleted, perhaps of someone else, holds it.",
    consequence: "No region takes it: the name is the trouble.",
    next: "If the account is yours, purge it; otherwise change kiln:workload, which all names are made of.",
  },
  {
    codes: ["VaultAlreadyExists", "StorageAccountAlreadyTaken", "StorageAccountAlreadyExists"],
    what: "a name that must be unique in the whole of Azure is taken",
    why: "Vaults, storage accounts and sites share one name space with everyone.",
    consequence: "No region takes it: the name is the trouble.",
    next: "Change kiln:workload, which all names are made of.",
  },
  {
    codes: ["MethodNotAllowed"],
    message: /DeletedVaultPurge/,
    what: "the deleted vault must not be purged",
    why: "Its purge protection is on, and it cannot be switched off.",
    consequence: "The vault keeps its name, in its region, until its retention is over.",
    next: "Run `kiln up`, which recovers it; or wait until it is gone by itself.",
  },
  {
    codes: ["ObjectIsDeletedButRecoverable"],
    what: "a secret of this name was deleted and still holds the name",
    why: "The vault keeps deleted secrets for as long as its retention says.",
    consequence: "No secret of that name can be written until it is recovered or purged.",
    next: "Run `kiln up`, which recovers it and writes the live key into it.",
  },
  {
    codes: ["ObjectIsBeingDeleted", "ObjectIsBeingRecovered"],
    transient: true,
    what: "a secret is on its way out, or back",
    why: "Key Vault says that deleting or recovering is done before it is, and nobody can ask how far it is.",
    consequence: `Its name is free again in a moment. ${whole}`,
    next: "Run it again in a minute.",
  },
  {
    codes: ["BadParameter"],
    message: /invalid name|invalid character/i,
    what: "the vault does not take the secret's name",
    why: "A secret's name has only letters, digits and hyphens; underscores are not allowed.",
    consequence: "The key was not written.",
    next: "Give the secret a name of letters, digits and hyphens (AZURE-OPENAI-API-KEY--dev); the app's setting keeps its underscores.",
  },
  {
    codes: ["ConflictError", "Conflict"],
    message: /deleted state|already (exists|in use|taken)|not available/i,
    what: "a name is still held",
    why: "Something of that name exists, live or soft-deleted.",
    consequence: whole,
    next: "Run `kiln down` for the environment, then `kiln up` again; if it is not yours, change kiln:workload.",
  },
];
