/** What the schema of `kiln:serving` is made of: texts, sizes, people, and what a project may use. */
import { z } from "zod";
import type { ProjectQuota } from "../components/openshift/quota.ts";
import type { EnvironmentKind } from "./environment.ts";
import { amount, list, section, text, whole, wrong } from "./schema-parts.ts";

/** A map with these keys and no other. */
export const map = <T extends z.ZodRawShape>(shape: T) => z.strictObject(shape, { error: section });
/** A name that Kubernetes takes, with what it names. */
export const label = (what: string, max: number) =>
  text(
    `${what}, 1 to ${max} characters of a-z, 0-9 and hyphens, first a letter, last no hyphen`,
    /^[a-z](?:[-a-z0-9]*[a-z0-9])?$/,
    max,
  );
/** Text that people see, without control characters and blanks around it. */
export const shown = (what: string, max = 256) =>
  text(`${what}, 1 to ${max} characters`, /^\S(?:[^\p{Cc}]*\S)?$/u, max);
/** An image by digest. */
export const image = () =>
  text(
    "an image by digest, registry/repository@sha256:<64 hex digits>",
    /^[a-z0-9][\w.-]*(?::\d+)?(?:\/[\w.-]+)+@sha256:[0-9a-f]{64}$/,
    512,
  );
/** An https address. */
export const address = () => text("an https address", /^https:\/\/[^\s/?#]+(?:\/\S*)?$/, 512);
/** The name of a secret of Key Vault. */
export const secretName = (what: string) =>
  text(`the name of the vault's secret with ${what}: letters, digits, hyphens`, /^[0-9a-zA-Z-]+$/, 127);
/** A uuid, with what it identifies. */
export const uuid = (what: string) =>
  text(`${what}, a uuid`, /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i, 36);
/** Ranges of IPv4 addresses. */
export const cidrs = (what: string) =>
  list(text("a range of IPv4 addresses like 10.0.0.0/16", /^\d+(?:\.\d+){3}\/\d+$/, 18), what);
/** A TCP port. */
export const port = () => whole(1, 65_535, "a TCP port");

/** Processors and memory. */
export const compute = () =>
  map({
    cpuCores: amount(0.001, 10_000, "cores"),
    memoryGib: amount(0.001, 100_000, "GiB"),
  });
/** What a container asks for, and what it may use at most. */
export const size = () =>
  map({
    requests: compute(),
    limits: compute().exactOptional(),
    gpus: whole(0, 16, "GPUs").default(0),
  });
/** Users and groups, nobody by default. */
export const people = () =>
  map({
    users: list(shown("a user's name"), "users").default([]),
    groups: list(shown("a group's name"), "groups").default([]),
  }).prefault({});
/** How many pods there are. */
export const replicas = (defaults: { readonly min: number; readonly max: number }) =>
  map({
    min: minReplicas().default(defaults.min),
    max: whole(1, 100, "replicas").default(defaults.max),
  }).prefault({});

/** 0 would be taken, and silently become 1 (kserve#3514). */
function minReplicas() {
  const allowed =
    "a whole number of replicas from 1 to 100; a model without pods is one with stopped: true, since Standard mode turns 0 into 1";
  const error = (issue: { input?: unknown }) => wrong(issue.input, allowed);
  return z.number({ error }).int({ error }).min(1, { error }).max(100, { error });
}

/** Arguments of a command. */
export function words() {
  return list(shown("an argument", 4096), "arguments");
}

/** What a project may use where the configuration says nothing, by kind of environment. */
export const QUOTAS: Readonly<Record<EnvironmentKind, Required<Omit<ProjectQuota, "gpuResource">>>> = {
  pr: quota({ cores: 4, gib: 16, gpus: 0, pods: 30, volumes: 5, storageGib: 50 }),
  dev: quota({ cores: 16, gib: 64, gpus: 0, pods: 60, volumes: 20, storageGib: 200 }),
  staging: quota({ cores: 32, gib: 128, gpus: 1, pods: 100, volumes: 30, storageGib: 500 }),
  prod: quota({ cores: 64, gib: 256, gpus: 4, pods: 200, volumes: 50, storageGib: 2000 }),
};

/** Containers may together use at most twice what they ask for. */
function quota(size: {
  cores: number;
  gib: number;
  gpus: number;
  pods: number;
  volumes: number;
  storageGib: number;
}): Required<Omit<ProjectQuota, "gpuResource">> {
  const { cores, gib, ...counts } = size;
  return {
    requests: { cpuCores: cores / 2, memoryGib: gib / 2 },
    limits: { cpuCores: cores, memoryGib: gib },
    ...counts,
  };
}

/** What a project may use, with the defaults of the kind of environment. */
export function quotaSchema(kind: EnvironmentKind) {
  const defaults = QUOTAS[kind];
  return map({
    requests: compute().default(defaults.requests),
    limits: compute().default(defaults.limits),
    gpus: whole(0, 1000, "GPUs").default(defaults.gpus),
    pods: whole(1, 10_000, "pods").default(defaults.pods),
    volumes: whole(0, 10_000, "claims").default(defaults.volumes),
    storageGib: whole(0, 1_000_000, "GiB").default(defaults.storageGib),
  }).prefault({});
}
