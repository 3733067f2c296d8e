import { KUBERNETES } from "../kubernetes/objects.ts";
import type { Rule } from "../model.ts";

/** A Helm Release installs its chart behind the engine's back: nothing in it is a resource, so nothing in it is judged. */
export const noUnseenManifests: Rule = {
  name: "no-unseen-manifests",
  description: "No Helm Release: what it installs no policy sees.",
  severity: "high",
  package: KUBERNETES,
  check: ({ type }) =>
    /^kubernetes:helm\.sh\/[^:]+:Release$/.test(type)
      ? [
          {
            property: "chart",
            message:
              "must be a Chart (helm.sh/v4), whose objects are resources of the stack, judged one by one.",
          },
        ]
      : [],
};
