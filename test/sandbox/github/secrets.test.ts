import sodium from "libsodium-wrappers";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type GitHubSandbox, gitHubSandbox, refusal } from "./support.ts";

let it: GitHubSandbox;
const at = { owner: "kiln", repo: "sealed" };
const prod = { ...at, environment_name: "prod" };

beforeAll(async () => {
  it = await gitHubSandbox();
  const { repos } = it.octokit().rest;
  await repos.createInOrg({ org: at.owner, name: at.repo });
  await repos.createOrUpdateEnvironment(prod);
  await sodium.ready;
});
afterAll(() => it.close());

/** As GitHub's documentation says a client should. */
function seal(value: string, key: string): string {
  const sealed = sodium.crypto_box_seal(Buffer.from(value), Buffer.from(key, "base64"));
  return Buffer.from(sealed).toString("base64");
}

/** What the sandbox holds: it must have been able to open what it was sent. */
function held(): string[] {
  return it.sandbox.cloud.mint
    .all()
    .filter(({ kind }) => kind === "github-secret")
    .map(({ value }) => value);
}

test("a secret is sealed for the repository's key, opened, and never shown", async () => {
  const { actions } = it.octokit().rest;
  const { data: key } = await actions.getRepoPublicKey(at);
  const encrypted_value = seal("a word for the repository", key.key);
  const secret = { ...at, secret_name: "Word", encrypted_value, key_id: key.key_id };
  expect((await actions.createOrUpdateRepoSecret(secret)).status).toBe(201);
  expect(held()).toContain("a word for the repository");
  const again = { ...secret, encrypted_value: seal("another word", key.key) };
  expect((await actions.createOrUpdateRepoSecret(again)).status).toBe(204);
  const { data } = await actions.listRepoSecrets(at);
  expect(data.secrets.map(({ name }) => name)).toEqual(["WORD"]);
  expect(JSON.stringify(data)).not.toContain("word for");
});

test("an environment has secrets of its own, as long as it lives", async () => {
  const { actions, repos } = it.octokit().rest;
  const { data: key } = await actions.getEnvironmentPublicKey(prod);
  const secret = {
    ...prod,
    secret_name: "WORD",
    encrypted_value: seal("for prod", key.key),
    key_id: key.key_id,
  };
  expect((await actions.createOrUpdateEnvironmentSecret(secret)).status).toBe(201);
  expect(held()).toContain("for prod");
  expect((await actions.listEnvironmentSecrets(prod)).data.total_count).toBe(1);
  await repos.deleteAnEnvironment(prod);
  await repos.createOrUpdateEnvironment(prod);
  expect((await actions.listEnvironmentSecrets(prod)).data.total_count).toBe(0);
});

test("what was not sealed for the repository is refused", async () => {
  const { actions } = it.octokit().rest;
  const { data: key } = await actions.getRepoPublicKey(at);
  const secret = { ...at, secret_name: "WRONG", key_id: key.key_id };
  const foreign = Buffer.from(sodium.crypto_box_keypair().publicKey).toString("base64");
  const plain = Buffer.from("in plain words").toString("base64");
  for (const encrypted_value of [seal("x", foreign), plain]) {
    expect((await refusal(actions.createOrUpdateRepoSecret({ ...secret, encrypted_value }))).status).toBe(
      422,
    );
  }
  const otherKey = { ...secret, encrypted_value: seal("x", key.key), key_id: "1" };
  expect((await refusal(actions.createOrUpdateRepoSecret(otherKey))).status).toBe(422);
});

test("a secret that goes is forgotten by GitHub, not by the leak scan", async () => {
  const { actions } = it.octokit().rest;
  await actions.deleteRepoSecret({ ...at, secret_name: "WORD" });
  expect((await refusal(actions.getRepoSecret({ ...at, secret_name: "WORD" }))).status).toBe(404);
  expect(held()).toContain("another word");
});

test("the key stays the same through a restart", async () => {
  const key = async () => (await it.octokit().rest.actions.getRepoPublicKey(at)).data.key;
  const before = await key();
  await it.restart();
  expect(await key()).toBe(before);
});
