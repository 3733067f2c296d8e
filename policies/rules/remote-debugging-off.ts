import { mustBe, type Rule } from "../model.ts";

/** A debugger reads the process's memory, where the resolved secrets are. Azure's default is off. */
export const remoteDebuggingOff: Rule = {
  name: "remote-debugging-off",
  description: "Web apps have remote debugging off.",
  severity: "high",
  types: ["web:WebApp", "web:WebAppSlot"],
  check: ({ props }) =>
    mustBe(
      props,
      "siteConfig.remoteDebuggingEnabled",
      (value) => !value,
      "must be false: it opens the process's memory.",
    ),
};
