import providerProto from "@pulumi/pulumi/proto/provider_pb.js";
import emptyProto from "google-protobuf/google/protobuf/empty_pb.js";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startProviders } from "./providers-client.ts";

let providers: Awaited<ReturnType<typeof startProviders>>;
beforeAll(async () => {
  providers = await startProviders();
});
afterAll(() => providers.close());

test("the plugins have the versions of the SDKs", async () => {
  const version = (client: typeof providers.azure) =>
    new Promise((resolve, reject) => {
      client.raw.getPluginInfo(new emptyProto.Empty(), (error, reply) =>
        error === null ? resolve(reply.getVersion()) : reject(error),
      );
    });
  expect(await version(providers.azure)).toBe("3.28.0");
  expect(await version(providers.command)).toBe("1.2.1");
});

test("a handshake settles what the engine may send", async () => {
  const reply = await providers.azure.handshake("127.0.0.1:1");
  expect(reply.toObject()).toMatchObject({
    acceptSecrets: true,
    acceptResources: true,
    supportsAutonamingConfiguration: true,
  });
});

test("the schema is a bare one, of the only version there is", async () => {
  const schema = (version: number) =>
    new Promise<string>((resolve, reject) => {
      const request = new providerProto.GetSchemaRequest().setVersion(version);
      providers.azure.raw.getSchema(request, (error, reply) =>
        error === null ? resolve(reply.getSchema()) : reject(error),
      );
    });
  expect(JSON.parse(await schema(0))).toEqual({ name: "azure-native", version: "3.28.0" });
  await expect(schema(1)).rejects.toThrow("unsupported schema version 1");
});

test("what the providers do not do answers as not implemented", async () => {
  const { raw } = providers.azure;
  await expect(
    new Promise((resolve, reject) => {
      raw.construct(new providerProto.ConstructRequest(), (error, reply) =>
        error === null ? resolve(reply) : reject(error),
      );
    }),
  ).rejects.toThrow("UNIMPLEMENTED");
});

test("provider configuration passes as it is and never forces a replacement", async () => {
  const { raw } = providers.azure;
  const checked = await new Promise((resolve, reject) => {
    raw.checkConfig(new providerProto.CheckRequest(), (error, reply) =>
      error === null ? resolve(reply.getFailuresList()) : reject(error),
    );
  });
  const diff = await new Promise((resolve, reject) => {
    raw.diffConfig(new providerProto.DiffRequest(), (error, reply) =>
      error === null ? resolve(reply.getReplacesList()) : reject(error),
    );
  });
  expect([checked, diff]).toEqual([[], []]);
});
