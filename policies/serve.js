// Where the policy runner enters. JavaScript, because the runner would compile a .ts entry with its own TypeScript.
import { flushCompileCache } from "node:module";
import { PolicyPack } from "@pulumi/policy";
import { exemptions } from "./exemptions.ts";
import { rules } from "./index.ts";
import { policiesOf } from "./pack.ts";

const today = () => new Date().toISOString().slice(0, 10);

new PolicyPack("kiln", { enforcementLevel: "mandatory", policies: policiesOf(rules, exemptions, today) });

// The engine ends this process by a signal, after which Node no longer saves what it compiled.
setImmediate(flushCompileCache);
