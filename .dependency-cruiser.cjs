// Who may import whom. The sandbox stands for the cloud and must not know its client; a change to a component cannot move
// its own judge, so policies never see components.
const own = "^(stacks|components|policies|scripts|sandbox|engine|labs|test|bench)/";
const only = (name, from, allowed) => ({
  name,
  severity: "error",
  from: { path: from },
  to: { path: own, pathNot: allowed },
});

module.exports = {
  forbidden: [
    only("components-stand-alone", "^components/", "^components/"),
    only("stacks-use-components", "^stacks/", "^(stacks|components)/"),
    only("policies-judge-alone", "^policies/", "^policies/"),
    only("sandbox-is-the-cloud", "^sandbox/", "^sandbox/"),
    only("engine-stands-alone", "^engine/", "^engine/"),
    only("labs-stand-alone", "^labs/", "^labs/"),
    only(
      "scripts-are-thin",
      "^scripts/",
      "^(scripts|engine)/|^stacks/(config|program)\\.ts$|^sandbox/client/|^components/(github/(model|workflows)/|azure/roles\\.ts$)",
    ),
    // What GitHub's things are, without Pulumi: components make them of it, the command checks and renders them.
    only(
      "github-models-are-plain",
      "^components/github/(model|workflows)/",
      "^components/(github/(model|workflows)|shared)/",
    ),
    {
      name: "github-models-need-no-pulumi",
      severity: "error",
      from: { path: "^components/github/(model|workflows)/" },
      to: { dependencyTypes: ["npm"], pathNot: "node_modules/yaml/" },
    },
    only("bench-measures-the-command", "^bench/", "^(bench|engine|sandbox/client|scripts)/|^test/harness/"),
    {
      name: "nothing-imports-tests",
      severity: "error",
      from: { pathNot: "^(test|bench)/" },
      to: { path: "^test/" },
    },
    { name: "no-cycles", severity: "error", from: {}, to: { circular: true } },
    {
      name: "policies-use-the-policy-sdk",
      severity: "error",
      from: { path: "^policies/" },
      to: { dependencyTypes: ["npm"], pathNot: "node_modules/@pulumi/(policy|pulumi)/" },
    },
    {
      name: "no-dev-packages-in-the-product",
      severity: "error",
      from: { path: own, pathNot: "^(test|bench)/" },
      to: { dependencyTypes: ["npm-dev"] },
    },
    { name: "all-imports-resolve", severity: "error", from: {}, to: { couldNotResolve: true } },
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "node", "default", "types"],
    },
  },
};
