import { isRecord } from "../arm-client.ts";
import type { ValueMap } from "../values.ts";
import type { GitHubClient } from "./client.ts";
import { asValues, repository as repositoryType } from "./repository.ts";
import { textOf } from "./types.ts";

type Lookup = (api: GitHubClient, args: ValueMap) => Promise<ValueMap>;

/** Look-ups by their token behind `github:index/`. */
const lookups: Readonly<Record<string, Lookup>> = {
  "getUser:getUser": async (api, args) => {
    const username = textOf(args, "username");
    const path = username === "" ? "/user" : `/users/${encodeURIComponent(username)}`;
    const { id, login, name, node_id, avatar_url, html_url, created_at, updated_at } = await api.send({
      method: "GET",
      path,
    });
    return asValues({
      id: String(id),
      username,
      login,
      name,
      nodeId: node_id,
      avatarUrl: avatar_url,
      htmlUrl: html_url,
      createdAt: created_at,
      updatedAt: updated_at,
    });
  },
  "getOrganization:getOrganization": async (api, args) => {
    const name = textOf(args, "name");
    const path = `/orgs/${encodeURIComponent(name)}`;
    const found = await api.send({ method: "GET", path });
    const { id, login, node_id, description } = found;
    return asValues({ id: String(id), name, login, orgname: found.name, nodeId: node_id, description });
  },
  "getTeam:getTeam": async (api, args) => {
    const slug = textOf(args, "slug");
    const path = `/orgs/${encodeURIComponent(api.owner)}/teams/${encodeURIComponent(slug)}`;
    const { id, name, node_id, description, privacy, permission } = await api.send({ method: "GET", path });
    const members = await api.list(`${path}/members`);
    return asValues({
      id: String(id),
      slug,
      name,
      nodeId: node_id,
      description: description ?? "",
      privacy,
      permission,
      members: members.flatMap((member) => (isRecord(member) ? [member.login] : [])),
    });
  },
  "getRepository:getRepository": async (api, args) => {
    const name = textOf(args, "name") || textOf(args, "fullName").split("/")[1] || "";
    const found = await repositoryType.read(api, { name });
    if (found === undefined) throw new Error(`there is no repository ${api.owner}/${name}`);
    return { ...found, id: name };
  },
};

/** @throws Error for a look-up that the sandbox does not serve */
export async function lookUp(api: GitHubClient, token: string, args: ValueMap): Promise<ValueMap> {
  const lookup = lookups[token.replace(/^github:index\//, "")];
  if (lookup === undefined) throw new Error(`the sandbox does not serve function '${token}'`);
  return lookup(api, args);
}
