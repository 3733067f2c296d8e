/** `kiln:serving` for tests by the command: a checkout whose `pr-7` has nothing but projects and models. */
import { stringify } from "yaml";
import type { TestCheckout } from "../harness/checkout.ts";
import { project } from "../stacks/serving-samples.ts";

export { project };

/** Has an environment of the checkout consist of these projects, and of nothing in Azure. */
export function serve(
  checkout: TestCheckout,
  environment: string,
  projects: readonly object[],
  more: { readonly foundry?: object; readonly serving?: object } = {},
): void {
  const config = {
    "kiln:foundry": more.foundry ?? { enabled: false },
    "kiln:serving": { enabled: true, projects, ...more.serving },
  };
  checkout.write(`Pulumi.${environment}.yaml`, stringify({ config }, { aliasDuplicateObjects: false }));
}
