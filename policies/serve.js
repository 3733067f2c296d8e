// Where the policy runner enters. JavaScript, because the runner would compile a .ts entry with its own TypeScript.
import { PolicyPack } from "@pulumi/policy";
import { exemptions } from "./exemptions.ts";
import { rules } from "./index.ts";
import { policiesOf } from "./pack.ts";

const today = () => new Date().toISOString().slice(0, 10);

new PolicyPack("kiln", { enforcementLevel: "mandatory", policies: policiesOf(rules, exemptions, today) });
