import { existsSync, readdirSync } from "node:fs";
import path from "node:path";
import { zipSync } from "fflate";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { codeFolder } from "../../../sandbox/appservice/deployments.ts";
import { isInside } from "../../../sandbox/appservice/packages.ts";
import { RunningCloud, testApp, until, zip } from "./support.ts";

let cloud: RunningCloud;
beforeAll(async () => {
  cloud = await new RunningCloud().start();
  await cloud.putSite();
});
afterAll(() => cloud.end());

const body = () => zip(testApp());

describe("bringing code by the scm host", () => {
  test("async: 202, a place to look, and status 4 in the end", async () => {
    const sent = await cloud.scm("POST", "/api/zipdeploy?isAsync=true&Deployer=az_cli_functions", {
      body: body(),
    });
    expect(sent.status).toBe(202);
    expect(sent.headers.location).toBe("https://app.scm.azurewebsites.net/api/deployments/latest");
    const latest = () => cloud.scm("GET", "/api/deployments/latest");
    await until("it is done", async () => (await latest()).body.complete);
    const { status, body: shown } = await latest();
    expect(status).toBe(200);
    expect(shown).toMatchObject({ status: 4, active: true, deployer: "az_cli_functions" });
    expect((await cloud.scm("GET", `/api/deployments/${shown.id}`)).body.id).toBe(shown.id);
    expect((await cloud.scm("GET", "/api/deployments")).body).toHaveLength(1);
    expect((await cloud.visit("/api/pid")).status).toBe(200);
    const arm = await cloud.call("GET", `${cloud.site()}/deploymentStatus/${shown.id}`);
    expect(arm.body.properties.status).toBe("RuntimeSuccessful");
    const functions = await cloud.call("GET", `${cloud.site()}/functions`);
    expect(functions.body.value[0]).toMatchObject({
      name: "app/main",
      type: "Microsoft.Web/sites/functions",
    });
  });

  test("keeps the code of the last two", async () => {
    for (const _ of [1, 2, 3]) await cloud.deploy(testApp());
    const folder = path.dirname(codeFolder(cloud.cloud, "app", "x"));
    await until("old code is gone", () => readdirSync(folder).length === 2);
    expect((await cloud.visit("/api/pid")).status).toBe(200);
  });

  test.each(["../evil", "a/../../evil", "/evil", "C:\\evil", "..\\evil"])(
    "refuses a package that names %s, and keeps what it serves",
    async (name) => {
      const serving = (await cloud.visit("/api/pid")).body;
      const evil = Buffer.from(zipSync({ [name]: Buffer.from("x"), "host.json": Buffer.from("{}") }));
      const answer = await cloud.scm("POST", "/api/publish?type=zip", { body: evil });
      expect(answer.status).toBe(400);
      expect(answer.body.error.message).toContain("outside of the site");
      expect((await cloud.visit("/api/pid")).body).toBe(serving);
      expect((await cloud.scm("GET", "/api/deployments/latest")).body).toMatchObject({
        status: 3,
        active: false,
      });
    },
  );

  test("refuses what is no ZIP, another type, and nothing", async () => {
    const publish = (query: string, content?: Buffer) =>
      cloud.scm("POST", `/api/publish${query}`, content === undefined ? {} : { body: content });
    expect((await publish("?type=zip", Buffer.from("no zip"))).status).toBe(400);
    expect((await publish("?type=war", body())).status).toBe(400);
    expect((await publish("?type=zip")).status).toBe(400);
    expect((await publish("?type=zip", zip({ "f/function.json": "{" }))).status).toBe(400);
    expect((await cloud.scm("GET", "/api/nothing")).status).toBe(404);
    expect((await cloud.scm("GET", "/api/deployments/none")).status).toBe(404);
  });

  test("takes one deployment at a time", async () => {
    const [first, second] = await Promise.all([
      cloud.scm("POST", "/api/publish?type=zip", { body: body() }),
      cloud.scm("POST", "/api/publish?type=zip", { body: body() }),
    ]);
    expect([first.status, second.status].sort()).toEqual([200, 409]);
  });
});

describe("who may publish", () => {
  test("whoever holds the permission, by bearer token", async () => {
    const send = (options: object) => cloud.scm("GET", "/api/deployments", options);
    expect((await send({})).status).toBe(200);
    expect((await send({ as: "reader" })).status).toBe(403);
    expect((await send({ as: "stranger" })).status).toBe(403);
    expect((await send({ authorization: "Bearer nonsense" })).status).toBe(401);
    expect((await send({ authorization: "" })).status).toBe(401);
    const wrong = `Bearer ${await cloud.token("owner", "https://vault.azure.net")}`;
    expect((await send({ authorization: wrong })).status).toBe(401);
    expect((await send({ name: "absent" })).status).toBe(404);
  });

  test("by user name and password only where a policy allows it", async () => {
    const credentials = async () =>
      (await cloud.call("POST", `${cloud.site()}/config/publishingcredentials/list`)).body.properties;
    expect(await credentials()).toMatchObject({
      publishingUserName: "$app",
      publishingPassword: "REDACTED",
    });
    const policies = `${cloud.site()}/basicPublishingCredentialsPolicies`;
    expect((await cloud.call("GET", `${policies}/scm`)).body.properties).toEqual({ allow: false });
    const basic = (password: string) => ({
      authorization: `Basic ${Buffer.from(`$app:${password}`).toString("base64")}`,
    });
    const send = async (password: string) => cloud.scm("GET", "/api/settings", basic(password));
    expect((await send("REDACTED")).body.error.message).toContain("disabled");
    await cloud.call("PUT", `${policies}/scm`, { properties: { allow: true } });
    const { publishingPassword } = await credentials();
    expect(cloud.cloud.mint.all().some(({ value }) => value === publishingPassword)).toBe(true);
    expect((await send(publishingPassword)).status).toBe(200);
    expect((await send("wrong")).status).toBe(401);
    const xml = await cloud.call("POST", `${cloud.site()}/publishxml`);
    expect(xml.body).toContain('publishMethod="ZipDeploy"');
    expect((await cloud.call("GET", policies)).body.value).toHaveLength(2);
  });
});

test("the names of a package stay inside of its folder", () => {
  for (const name of ["a", "a/b.txt", "a\\b", "..a/b", "a..b"]) expect(isInside(name)).toBe(true);
  for (const name of ["", "..", "a/..", "\\a", "c:a", "a\0b"]) expect(isInside(name)).toBe(false);
  expect(existsSync(path.join(cloud.dataDir, "sites", "evil"))).toBe(false);
});
