import "reflect-metadata";
import { createHash, webcrypto } from "node:crypto";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { createServer as createPlainServer, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import { type AddressInfo, connect, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import {
  BasicConstraintsExtension,
  type JsonGeneralNames,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from "@peculiar/x509";
import { describe, expect, onTestFinished, test } from "vitest";
import { EngineError, type ProvideOptions, provideEngine } from "../../engine/index.ts";
import { installWithin } from "../../engine/pulumi/install.ts";
import { pinned } from "../../engine/pulumi/recipe.ts";
import { environment, leftovers, recorder, runs, scratch } from "./support.ts";

/** Listens on a free port of the loopback and stops after the test, with every open connection. */
async function listen(server: Server | ReturnType<typeof createTcpServer>): Promise<number> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(
    () =>
      new Promise<void>((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  );
  return (server.address() as AddressInfo).port;
}

/** A self-signed certificate for `host`, in PEM. */
async function certificateFor(host: string): Promise<{ cert: string; key: string }> {
  const keys = await webcrypto.subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, [
    "sign",
    "verify",
  ]);
  const names: JsonGeneralNames = [{ type: "dns", value: host }];
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: `CN=${host}`,
    keys,
    signingAlgorithm: { name: "ECDSA", hash: "SHA-256" },
    extensions: [new BasicConstraintsExtension(true), new SubjectAlternativeNameExtension(names)],
  });
  const key = PemConverter.encode(await webcrypto.subtle.exportKey("pkcs8", keys.privateKey), "PRIVATE KEY");
  return { cert: certificate.toString("pem"), key };
}

/** An environment in which get.pulumi.com is a server of ours that answers with this installer script. */
async function downloadSite(dir: string, installer: string): Promise<NodeJS.ProcessEnv> {
  const { cert, key } = await certificateFor("get.pulumi.com");
  const site = await listen(
    createTlsServer({ cert, key }, (request, answer) => {
      answer.writeHead(request.url === "/install.sh" ? 200 : 404);
      answer.end(request.method === "HEAD" ? undefined : installer);
    }),
  );
  const proxy = createPlainServer();
  proxy.on("connect", (request, client: Socket) => {
    if (request.url !== "get.pulumi.com:443") return client.end("HTTP/1.1 403 Forbidden\r\n\r\n");
    const upstream = connect(site, "127.0.0.1", () => {
      client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
      client.pipe(upstream).pipe(client);
    });
    upstream.on("error", () => client.destroy());
    client.on("error", () => upstream.destroy());
  });
  const ca = join(dir, `${createHash("sha256").update(cert).digest("hex").slice(0, 8)}.pem`);
  await writeFile(ca, cert);
  const port = await listen(proxy);
  return { ...environment(dir), HTTPS_PROXY: `http://127.0.0.1:${port}`, NODE_EXTRA_CA_CERTS: ca };
}

/** What the real installer script does, as far as its arguments go. */
const installer = (version: string) => `
PATH=/usr/bin:/bin
while [ $# -gt 0 ]; do
  case "$1" in
    --install-root) root="$2"; shift ;;
    --version) [ "$2" = ${pinned.version} ] || exit 7; shift ;;
  esac
  shift
done
mkdir -p "$root/bin"
for name in pulumi pulumi-language-nodejs pulumi-analyzer-policy; do
  printf '#!/bin/sh\\necho v${version}\\n' > "$root/bin/$name"
  chmod +x "$root/bin/$name"
done
`;

async function world() {
  const dir = await scratch();
  const cacheDir = join(dir, "cache");
  const provide = (env: NodeJS.ProcessEnv, rest: Partial<ProvideOptions> = {}) =>
    provideEngine({ cacheDir, env, ways: [installWithin({})], ...rest });
  const refused = async (env: NodeJS.ProcessEnv, rest: Partial<ProvideOptions> = {}) => {
    const error: unknown = await provide(env, rest).then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(EngineError);
    expect(await leftovers(cacheDir)).toEqual([]);
    return error as EngineError;
  };
  return { dir, cacheDir, provide, refused };
}

describe("installing by the Automation API", () => {
  test("takes the pinned release into the cache", async () => {
    const { dir, cacheDir, provide } = await world();
    const env = await downloadSite(dir, installer(pinned.version));
    const { events, onProgress } = recorder();
    const engine = await provide(env, { onProgress });
    expect(engine).toMatchObject({ source: "installed", version: pinned.version });
    expect(engine.pulumi.startsWith(cacheDir)).toBe(true);
    expect(events.map(({ part, phase }) => `${part} ${phase}`)).toContain("install done");
    expect((await provide(env)).source).toBe("cache-installed");
    expect(await leftovers(cacheDir)).toEqual([]);
  });

  test("does not accept another version than it asked for", async () => {
    const { dir, refused } = await world();
    const error = await refused(await downloadSite(dir, installer("3.100.0")));
    expect(error.code).toBe("ENGINE_DOWNLOAD_FAILED");
    expect(error.cause).toContain("3.100.0");
  });

  test("says why the site cannot be reached", async () => {
    const { dir, refused } = await world();
    const server = createTcpServer();
    const port = await listen(server);
    await new Promise<void>((resolve) => server.close(() => resolve()));
    const error = await refused({ ...environment(dir), HTTPS_PROXY: `http://127.0.0.1:${port}` });
    expect(error.code).toBe("ENGINE_DOWNLOAD_FAILED");
    expect(error.cause).toContain("ECONNREFUSED");
  });

  test("does not wait for a network that swallows everything", async () => {
    const { dir, refused } = await world();
    const port = await listen(createTcpServer());
    const env = { ...environment(dir), HTTPS_PROXY: `http://127.0.0.1:${port}` };
    const error = await refused(env, { ways: [installWithin({ reachMs: 500 })] });
    expect(error.cause).toContain("no answer from the download site within 0.5 s");
  });

  const hang = (dir: string) => `
PATH=/usr/bin:/bin
mkfifo ${dir}/never
echo $$ > ${dir}/pid.new
mv ${dir}/pid.new ${dir}/pid
cat ${dir}/never`;

  test("does not wait for an installer that hangs", async () => {
    const { dir, refused } = await world();
    const error = await refused(await downloadSite(dir, hang(dir)), {
      ways: [installWithin({ installMs: 1500 })],
    });
    expect(error.cause).toContain("the download did not end within 1.5 s");
  });

  test("can be interrupted, and ends what it started", async () => {
    const { dir, refused } = await world();
    const stop = new AbortController();
    const onProgress = () => {
      if (existsSync(join(dir, "pid"))) stop.abort();
    };
    const error = await refused(await downloadSite(dir, hang(dir)), { signal: stop.signal, onProgress });
    expect(error.code).toBe("ENGINE_INTERRUPTED");
    expect(runs(Number(await readFile(join(dir, "pid"), "utf8")))).toBe(false);
  });

  test("a full disk is told as one", async () => {
    const { dir, refused } = await world();
    const env = await downloadSite(
      dir,
      "echo 'tar: pulumi: Cannot write: No space left on device' >&2; exit 2",
    );
    expect((await refused(env)).code).toBe("ENGINE_DISK_FULL");
  });
});
