import type { ValueMap } from "../values.ts";
import type { GitHubClient } from "./client.ts";
import { asValues } from "./repository.ts";
import { type GitHubType, idOf, idParts, present, textOf } from "./types.ts";

/** Variables and secrets live in a repository, or in one of its environments. */
interface Place {
  readonly token: string;
  readonly inEnvironment: boolean;
}

function identifier(inEnvironment: boolean, name: string): GitHubType["identify"] {
  return (id) => {
    const parts = idParts(id);
    const [repository, ...rest] = parts;
    if (parts.length !== (inEnvironment ? 3 : 2) || repository === undefined || parts.includes(""))
      return undefined;
    const [environment, own] = inEnvironment ? rest : [undefined, rest[0]];
    return {
      repository,
      ...(environment === undefined ? {} : { environment }),
      ...(own === undefined ? {} : { [name]: own }),
    };
  };
}

function folder(api: GitHubClient, state: ValueMap, what: string): string {
  const repository = textOf(state, "repository");
  return state.environment === undefined
    ? api.path(repository, "actions", what)
    : api.path(repository, "environments", textOf(state, "environment"), what);
}

function idIn(inputs: ValueMap, name: string): string {
  const environment = inputs.environment === undefined ? [] : [textOf(inputs, "environment")];
  return idOf(textOf(inputs, "repository"), ...environment, textOf(inputs, name));
}

function variable({ token, inEnvironment }: Place): GitHubType {
  const own = inEnvironment ? ["environment"] : [];
  const path = (api: GitHubClient, state: ValueMap) =>
    `${folder(api, state, "variables")}/${encodeURIComponent(textOf(state, "variableName"))}`;
  return {
    token,
    inputs: [...own, "repository", "value", "variableName"],
    required: [...own, "repository", "value", "variableName"],
    replaceOn: [...own, "variableName"],
    computed: ["createdAt", "repositoryId", "updatedAt"],
    volatile: ["updatedAt"],
    identify: identifier(inEnvironment, "variableName"),
    async create(api, inputs) {
      const body = { name: inputs.variableName, value: inputs.value };
      await api.send({ method: "POST", path: folder(api, inputs, "variables"), body });
      return idIn(inputs, "variableName");
    },
    async read(api, state) {
      const found = await api.find(path(api, state));
      if (found === undefined) return undefined;
      return asValues({
        repository: state.repository,
        environment: state.environment,
        repositoryId: await repositoryId(api, state),
        // GitHub shows the name in capitals, whatever it was given.
        variableName: state.variableName ?? found.name,
        value: found.value,
        createdAt: found.created_at,
        updatedAt: found.updated_at,
      });
    },
    async update(api, inputs) {
      const body = { name: inputs.variableName, value: inputs.value };
      await api.send({ method: "PATCH", path: path(api, inputs), body });
    },
    delete: (api, state) => api.remove(path(api, state)),
  };
}

function secret({ token, inEnvironment }: Place): GitHubType {
  const own = inEnvironment ? ["environment"] : [];
  const values = ["value", "plaintextValue", "valueEncrypted", "encryptedValue"];
  const path = (api: GitHubClient, state: ValueMap) =>
    `${folder(api, state, "secrets")}/${encodeURIComponent(textOf(state, "secretName"))}`;

  /** Seals what is given in plain words; what is sealed already goes as it is. */
  async function put(api: GitHubClient, inputs: ValueMap): Promise<void> {
    const sealed = inputs.valueEncrypted ?? inputs.encryptedValue;
    const body =
      sealed === undefined
        ? await seal(api, inputs, String(inputs.value ?? inputs.plaintextValue ?? ""))
        : { encrypted_value: sealed, key_id: inputs.keyId };
    await api.send({ method: "PUT", path: path(api, inputs), body });
  }
  return {
    token,
    inputs: [...own, ...values, "destroyOnDrift", "keyId", "repository", "secretName"],
    required: [...own, "repository", "secretName"],
    replaceOn: [...own, "secretName"],
    computed: ["createdAt", "remoteUpdatedAt", "repositoryId", "updatedAt"],
    volatile: ["remoteUpdatedAt", "updatedAt"],
    secret: values,
    unread: [...values, "destroyOnDrift", "keyId"],
    problems(inputs) {
      const given = values.filter((name) => name in inputs);
      const sealed = "valueEncrypted" in inputs || "encryptedValue" in inputs;
      return [
        ...(given.length === 1
          ? []
          : [{ property: "value", reason: `exactly one of ${values.join(", ")} must be given` }]),
        ...(sealed && !("keyId" in inputs)
          ? [{ property: "keyId", reason: "an encrypted value needs the id of its key" }]
          : []),
      ];
    },
    identify: identifier(inEnvironment, "secretName"),
    async create(api, inputs) {
      await put(api, inputs);
      return idIn(inputs, "secretName");
    },
    async read(api, state) {
      const found = await api.find(path(api, state));
      if (found === undefined) return undefined;
      return asValues({
        repository: state.repository,
        environment: state.environment,
        repositoryId: await repositoryId(api, state),
        secretName: state.secretName,
        createdAt: found.created_at,
        // When it was written from here, and when GitHub last saw it written.
        updatedAt: state.updatedAt ?? found.updated_at,
        remoteUpdatedAt: found.updated_at,
      });
    },
    update: put,
    delete: (api, state) => api.remove(path(api, state)),
    drifted: (outputs) => (outputs.updatedAt === outputs.remoteUpdatedAt ? undefined : "remoteUpdatedAt"),
  };
}

async function seal(api: GitHubClient, inputs: ValueMap, value: string): Promise<object> {
  const { default: sodium } = await import("libsodium-wrappers");
  await sodium.ready;
  const path = `${folder(api, inputs, "secrets")}/public-key`;
  const { key, key_id } = await api.send({ method: "GET", path });
  const sealed = sodium.crypto_box_seal(Buffer.from(value), Buffer.from(String(key), "base64"));
  return { encrypted_value: Buffer.from(sealed).toString("base64"), key_id };
}

async function repositoryId(api: GitHubClient, state: ValueMap): Promise<unknown> {
  return (await api.find(api.path(textOf(state, "repository"))))?.id;
}

/** What the subjects of a repository's jobs are made of. */
const subjectTemplate: GitHubType = {
  token:
    "actionsRepositoryOidcSubjectClaimCustomizationTemplate:ActionsRepositoryOidcSubjectClaimCustomizationTemplate",
  inputs: ["includeClaimKeys", "repository", "useDefault"],
  required: ["repository", "useDefault"],
  replaceOn: ["repository"],
  computed: [],
  problems: (inputs) =>
    inputs.useDefault === true && "includeClaimKeys" in inputs
      ? [
          {
            property: "includeClaimKeys",
            reason: "include_claim_keys cannot be set when use_default is true",
          },
        ]
      : [],
  identify: (id) => (id === "" || id.includes("/") ? undefined : { repository: id }),
  async create(api, inputs) {
    await putTemplate(api, inputs);
    return textOf(inputs, "repository");
  },
  async read(api, state) {
    const found = await api.find(templatePath(api, state));
    if (found === undefined) return undefined;
    return asValues({
      repository: state.repository,
      useDefault: found.use_default,
      includeClaimKeys: found.use_default === true ? undefined : found.include_claim_keys,
    });
  },
  update: putTemplate,
  async delete(api, state) {
    if ((await api.find(templatePath(api, state))) === undefined) return;
    await api.send({ method: "PUT", path: templatePath(api, state), body: { use_default: true } });
  },
};

async function putTemplate(api: GitHubClient, inputs: ValueMap): Promise<void> {
  const body = present({ use_default: inputs.useDefault, include_claim_keys: inputs.includeClaimKeys });
  await api.send({ method: "PUT", path: templatePath(api, inputs), body });
}

function templatePath(api: GitHubClient, state: ValueMap): string {
  return api.path(textOf(state, "repository"), "actions", "oidc", "customization", "sub");
}

export const actionsTypes: readonly GitHubType[] = [
  variable({ token: "actionsVariable:ActionsVariable", inEnvironment: false }),
  variable({ token: "actionsEnvironmentVariable:ActionsEnvironmentVariable", inEnvironment: true }),
  secret({ token: "actionsSecret:ActionsSecret", inEnvironment: false }),
  secret({ token: "actionsEnvironmentSecret:ActionsEnvironmentSecret", inEnvironment: true }),
  subjectTemplate,
];
