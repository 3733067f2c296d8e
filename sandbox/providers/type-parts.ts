import type { ResourceShape, Shape } from "./shape.ts";

/** The id of a resource group. */
export const group = "/subscriptions/{subscriptionId}/resourceGroups/{resourceGroupName}";
export const groupName = /^[-\w._()]{0,89}[-\w_()]$/;

/** `identity` of whatever can have a managed identity. */
export const identity: Shape = {
  readOnly: ["principalId", "tenantId"],
  stringSets: ["userAssignedIdentities"],
};

/** The words of a text: long lists of names read better without quotes. */
export function words(text: string): string[] {
  return text.split(" ").filter((word) => word !== "");
}

/** The shape of a type whose `properties` the SDK flattens. */
export function flat(inputs: string, readOnly: string, envelope: string): ResourceShape {
  return { inputs: words(inputs), readOnly: words(readOnly), envelope: words(envelope) };
}
