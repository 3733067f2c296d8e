import { expect } from "vitest";
import type { ValueMap } from "../../../sandbox/providers/values.ts";
import { ProviderClient } from "../providers-client.ts";
import { type GitHubSandbox, gitHubSandbox } from "./support.ts";

export interface Made {
  readonly id: string;
  readonly inputs: ValueMap;
  readonly outputs: ValueMap;
}

/** The provider `github` on its wire, against a sandbox's own GitHub. */
export interface GitHubProviderUnderTest {
  readonly sandbox: GitHubSandbox;
  readonly github: ProviderClient;
  /** Another engine's connection. */
  connect(): Promise<ProviderClient>;
  make(token: string, asked: ValueMap): Promise<Made>;
  /** What was made is found as it was made, by a refresh and by an import, and nothing wants to change. */
  expectSettled(token: string, made: Made, imported?: ValueMap): Promise<void>;
  change(
    token: string,
    made: Made,
    asked: ValueMap,
  ): Promise<{ diff: Awaited<ReturnType<ProviderClient["diff"]>>; made: Made }>;
  close(): Promise<void>;
}

/** The token of a type: `github:index/repository:Repository`. */
export const type = (name: string) => `github:index/${name[0]?.toLowerCase()}${name.slice(1)}:${name}`;

/** With a repository `base` that has an environment `prod`. */
export async function gitHubProvider(): Promise<GitHubProviderUnderTest> {
  const sandbox = await gitHubSandbox();
  const connect = async () => {
    const { clientId } = sandbox.sandbox.cloud.principals.byName("owner") ?? {};
    const { body } = await sandbox.control("POST", "/providers", { clientId, projectDir: "/" });
    return new ProviderClient((body as { github: number }).github, "github");
  };
  const github = await connect();
  const make = async (token: string, asked: ValueMap): Promise<Made> => {
    const { inputs, failures } = await github.check(token, asked);
    expect(failures).toEqual([]);
    return { inputs, ...(await github.create(token, inputs)) };
  };
  await make(type("Repository"), { name: "base", autoInit: true });
  await make(type("RepositoryEnvironment"), { repository: "base", environment: "prod" });
  return {
    sandbox,
    github,
    connect,
    make,
    expectSettled: async (token, made, imported = made.inputs) => {
      const read = await github.read(token, made.id, made);
      expect(read).toEqual({ id: made.id, inputs: made.inputs, outputs: made.outputs });
      expect((await github.diff(token, made.inputs, made.inputs, made.outputs)).details).toEqual({});
      expect((await github.read(token, made.id)).inputs).toEqual(imported);
    },
    change: async (token, made, asked) => {
      const { inputs } = await github.check(token, asked, { olds: made.inputs });
      const diff = await github.diff(token, made.inputs, inputs, made.outputs);
      const outputs = await github.update(token, made.id, made, inputs);
      return { diff, made: { id: made.id, inputs, outputs } };
    },
    close: async () => {
      github.close();
      await sandbox.close();
    },
  };
}
