import { mustBe, type Rule } from "../model.ts";

/** A secret that says what it is and until when can be renewed by someone who did not make it. */
export const secretMetadata: Rule = {
  name: "secret-metadata",
  description: "A Key Vault secret declares an expiry and a content type.",
  severity: "medium",
  types: ["keyvault:Secret"],
  check: ({ props }) => [
    ...mustBe(
      props,
      "properties.attributes.expires",
      (value) => typeof value === "number" && value > 0,
      "must be set, in seconds since 1970.",
    ),
    ...mustBe(
      props,
      "properties.contentType",
      (value) => typeof value === "string" && value.trim() !== "",
      "must say what the secret is.",
    ),
  ],
};
