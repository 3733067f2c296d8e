import type { Cases } from "../case.ts";
import { accessCases } from "./access.ts";
import { imageCases } from "./images.ts";
import { privilegeCases } from "./privileges.ts";
import { sizeCases } from "./sizes.ts";
import { surroundingCases } from "./surroundings.ts";

/** Cases of the rules that judge Kubernetes objects one by one. */
export const kubernetesCases: Readonly<Record<string, Cases>> = {
  ...imageCases,
  ...privilegeCases,
  ...sizeCases,
  ...accessCases,
  ...surroundingCases,
};
