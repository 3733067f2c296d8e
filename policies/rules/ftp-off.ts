import { azureType, mustBe, type Rule, same } from "../model.ts";

/** FTP publishes code by a password that no one rotates. */
export const ftpOff: Rule = {
  name: "ftp-off",
  description: "Web apps accept no FTP or FTPS deployments.",
  severity: "high",
  types: ["web:WebApp", "web:WebAppSlot", "web:WebAppFtpAllowed", "web:WebAppFtpAllowedSlot"],
  check: ({ type, props }) =>
    azureType(type)?.startsWith("web:WebAppFtpAllowed") === true
      ? mustBe(props, "allow", (value) => value === false, "must be false.")
      : mustBe(
          props,
          "siteConfig.ftpsState",
          (value) => same(value ?? null, "Disabled"),
          "must be Disabled, and said.",
        ),
};
