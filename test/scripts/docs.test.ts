import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { errorsFile, errorsPage } from "../../scripts/docs.ts";
import { catalogue, uncoded } from "../../scripts/lib/catalogue/index.ts";

it("docs/errors.md is what `npm run docs` writes", () => {
  expect(readFileSync(errorsFile, "utf8")).toBe(errorsPage());
});

it("the page has every code, and speaks of a region, not of a placeholder", () => {
  const page = errorsPage();
  for (const code of [...catalogue.flatMap(({ codes }) => codes), ...uncoded.map(({ code }) => code)])
    expect(page).toContain(`\`${code}\``);
  expect(page).not.toContain("{region}");
});
