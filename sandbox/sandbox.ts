import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, rmSync } from "node:fs";
import https from "node:https";
import path from "node:path";
import { createSiteRuntime, type SiteRuntime } from "./appservice/runtime.ts";
import { createScm } from "./appservice/scm.ts";
import { createSites } from "./appservice/sites-host.ts";
import { siteExists, siteType } from "./appservice/state.ts";
import { web } from "./appservice/web.ts";
import { createArm } from "./arm/app.ts";
import { clientEnvironment, networkEnvironment, type SandboxAccess } from "./client/environment.ts";
import { sandboxPaths } from "./client/files.ts";
import { cognitive } from "./cognitive/module.ts";
import { type Cloud, openCloud } from "./core/cloud.ts";
import { CloudError } from "./core/errors.ts";
import { writePrivate } from "./core/files.ts";
import { type KnownPrincipal, knownPrincipals } from "./core/principals.ts";
import type { Service } from "./core/service.ts";
import { tlsMaterial } from "./front/certificates.ts";
import { createControl } from "./front/control.ts";
import { type FamilyName, type Handler, hostNames } from "./front/hosts.ts";
import { ProviderSessions } from "./front/provider-sessions.ts";
import { type Front, openFront } from "./front/proxy.ts";
import { organization } from "./github/accounts.ts";
import { createGitHubApi, openGitHub } from "./github/app.ts";
import { gitHubControls } from "./github/control.ts";
import { createOidcIssuer, gitHubIssuer, keptOidcKeys } from "./github/oidc.ts";
import { createGitHubWeb } from "./github/smart-http.ts";
import { keptCounters } from "./github/state.ts";
import { ensureGitHubTokens, gitHubAccess, keptTokens } from "./github/tokens.ts";
import { createUploads } from "./github/uploads.ts";
import { createVault } from "./keyvault/app.ts";
import { keyVault } from "./keyvault/module.ts";
import { vaultExists } from "./keyvault/state.ts";
import { kubernetesControls } from "./kubernetes/control.ts";
import { KubernetesControlPlane } from "./kubernetes/control-plane.ts";
import { createKubernetesIssuer, issuerExists, kubernetesIssuer } from "./kubernetes/issuer.ts";
import { userOfPrincipal } from "./kubernetes/users.ts";
import { createLogin } from "./login/app.ts";
import { createGraph } from "./login/graph.ts";
import { insights, operationalInsights } from "./monitor/index.ts";
import { accountExists, createOpenAi } from "./openai/app.ts";
import { storage } from "./storage/index.ts";

export interface Sandbox {
  readonly port: number;
  readonly controlToken: string;
  readonly cloud: Cloud;
  /** Opens again the provider ports that shells of an earlier life may still name. */
  reopenProviders(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the sandbox of a data folder: the cloud, its front door and its inhabitants.
 * @param options.port 0 takes the port of last time, or any free one the first time
 * @param options.onStop called when a client asked for the end
 * @throws StoreHeldError, PortTakenError
 */
export async function openSandbox(options: {
  dataDir: string;
  port: number;
  onStop: () => void;
}): Promise<Sandbox> {
  const { dataDir } = options;
  const paths = sandboxPaths(dataDir);
  const cloud = openCloud(dataDir);
  try {
    await ensurePrincipals(cloud);
    ensureGitHubTokens(cloud);
    if (!existsSync(paths.passphrase)) writePrivate(paths.passphrase, randomBytes(24).toString("base64url"));
    const tls = await tlsMaterial(dataDir);

    const github = openGitHub(cloud);
    let proxy = "";
    const runtime = createSiteRuntime(cloud, {
      childEnv: () => networkEnvironment({ proxy, caCertificate: tls.caFile }),
    });
    const kubernetes = new KubernetesControlPlane(cloud, {
      environment: () => networkEnvironment({ proxy, caCertificate: tls.caFile }),
    });
    const families: Record<FamilyName, { handler: Handler; exists?: (host: string) => boolean }> = {
      arm: {
        handler: await handlerOf(
          createArm(cloud, [cognitive, keyVault, web, storage, operationalInsights, insights]),
        ),
      },
      login: { handler: await handlerOf(createLogin(cloud, [gitHubIssuer(cloud), kubernetesIssuer(cloud)])) },
      graph: { handler: await handlerOf(createGraph(cloud)) },
      vault: { handler: await handlerOf(createVault(cloud)), exists: (host) => vaultExists(cloud, host) },
      openai: { handler: await handlerOf(createOpenAi(cloud)), exists: (host) => accountExists(cloud, host) },
      scm: { handler: await handlerOf(createScm(cloud, runtime)), exists: (host) => siteExists(cloud, host) },
      githubApi: { handler: await handlerOf(createGitHubApi(github)) },
      github: { handler: await handlerOf(createGitHubWeb(github)) },
      githubUploads: { handler: await handlerOf(createUploads(github)) },
      githubOidc: { handler: await handlerOf(createOidcIssuer(cloud)) },
      kubernetesOidc: {
        handler: await handlerOf(createKubernetesIssuer(cloud)),
        exists: () => issuerExists(cloud),
      },
      site: { handler: createSites(cloud, runtime), exists: (host) => siteExists(cloud, host) },
    };
    const hosts = Object.entries(families).map(([family, host]) => ({
      names: hostNames[family as FamilyName],
      ...host,
    }));

    const accessOf = (clientId: string): SandboxAccess => ({
      proxy,
      caCertificate: tls.caFile,
      tenantId: cloud.tenantId,
      subscriptionId: cloud.subscriptionId,
      clientId,
      assertionFile: paths.assertionOf(requireService(cloud, clientId)),
      github: gitHubAccess(cloud, requireService(cloud, clientId)),
      kubeconfig: kubeconfigOf(dataDir, requireService(cloud, clientId)),
    });
    const sessions = new ProviderSessions(cloud, {
      environment: (clientId) => ({
        ...clientEnvironment(accessOf(clientId)),
        // A `node` in a command is this Node, whichever else the machine has.
        PATH: [path.dirname(process.execPath), process.env.PATH ?? ""].join(path.delimiter),
      }),
      gitHubToken: (clientId) => readFileSync(paths.githubTokenOf(requireService(cloud, clientId)), "utf8"),
      gitHubOwner: organization.login,
      kubeconfig: (clientId) => {
        const { state } = kubernetes.status();
        if (state === "stopped" || state === "failed") return undefined;
        return kubeconfigOf(dataDir, requireService(cloud, clientId));
      },
      agent: () => new https.Agent({ keepAlive: true, ca: [tls.ca], proxyEnv: { HTTPS_PROXY: proxy } }),
    });

    const controlToken = randomBytes(32).toString("base64url");
    const owner = cloud.principals.byName("owner");
    let front: Front;
    const control = createControl(cloud, controlToken, {
      status: () => ({
        running: true,
        pid: process.pid,
        proxy,
        caCertificate: tls.caFile,
        dataDir,
        subscriptionId: cloud.subscriptionId,
        tenantId: cloud.tenantId,
        owner: {
          clientId: owner?.clientId,
          clientSecretFile: paths.secretOf("owner"),
          assertionFile: paths.assertionOf("owner"),
        },
        principals: cloud.principals
          .list()
          .filter((each) => each.kind === "ServicePrincipal")
          .map((each) => ({
            name: each.name,
            role: knownPrincipals[each.name as keyof typeof knownPrincipals] ?? null,
            clientId: each.clientId,
            clientSecretFile: paths.secretOf(each.name),
            assertionFile: paths.assertionOf(each.name),
            github: gitHubAccess(cloud, each.name),
            kubeconfig: kubeconfigOf(dataDir, each.name),
          })),
        github: gitHubAccess(cloud, "owner"),
        clock: { now: cloud.clock.iso(), scale: cloud.clock.scale },
        resources: cloud.resources.under("").length,
        sites: siteReport(cloud, runtime),
        kubernetes: kubernetes.status(),
      }),
      stop: options.onStop,
      counters: () => siteReport(cloud, runtime),
      services: (app) => {
        gitHubControls(app, github);
        kubernetesControls(app, kubernetes);
      },
      providers: (clientId, projectDir) => {
        requireService(cloud, clientId);
        return sessions.open(clientId, projectDir);
      },
      reset: async () => {
        await runtime.stop();
        await kubernetes.reset();
        cloud.store.clear([
          "identity",
          "token-keys",
          "principals",
          "minted",
          "settings",
          "port",
          "provider-sessions",
          keptTokens,
          keptOidcKeys,
          keptCounters,
        ]);
        cloud.principals.dropManagedIdentities();
        cloud.operations.forget();
        cloud.clock.reset();
        for (const folder of [paths.sites, paths.state, paths.github])
          rmSync(folder, { recursive: true, force: true });
        await runtime.start();
      },
    });

    const ports = cloud.store.collection<number>("port");
    front = await openFront({ port: options.port || (ports.get("front") ?? 0), tls, hosts, control });
    proxy = `http://127.0.0.1:${front.port}`;
    if (ports.get("front") !== front.port) ports.put("front", front.port);
    await runtime.start();
    kubernetes.resume();
    return {
      port: front.port,
      controlToken,
      cloud,
      reopenProviders: () => sessions.reopen(),
      close: async () => {
        await sessions.close();
        await kubernetes.close();
        await runtime.stop();
        await front.close();
        cloud.close();
      },
    };
  } catch (error) {
    cloud.close();
    throw error;
  }
}

/** Makes the principals that every sandbox has, and writes what each signs in with into files of its own. */
async function ensurePrincipals(cloud: Cloud): Promise<void> {
  const paths = sandboxPaths(cloud.dataDir);
  for (const name of Object.keys(knownPrincipals)) {
    let principal = cloud.principals.byName(name);
    if (principal === undefined || !existsSync(paths.secretOf(name))) {
      if (principal !== undefined) cloud.principals.remove(principal.clientId);
      const made = cloud.principals.createService(name);
      principal = made.principal;
      writePrivate(paths.secretOf(name), made.secret);
    }
    writePrivate(paths.assertionOf(name), await cloud.tokens.assertion(principal.clientId));
  }
}

function requireService(cloud: Cloud, clientId: string): string {
  const principal = cloud.principals.byClientId(clientId);
  if (principal?.kind !== "ServicePrincipal") {
    throw new CloudError(
      404,
      "PrincipalNotFound",
      `The sandbox has no principal with the client id '${clientId}'.`,
    );
  }
  return principal.name;
}

/**
 * How a principal signs in to the sandbox's cluster. The file is named even while there is no cluster, and for who is nobody
 * there: without it clients would turn to the cluster that the machine's own configuration names.
 */
function kubeconfigOf(dataDir: string, principal: string): string {
  return sandboxPaths(dataDir).kubeconfigOf(userOfPrincipal[principal as KnownPrincipal] ?? principal);
}

/** What each site runs and what it has answered. */
function siteReport(cloud: Cloud, runtime: SiteRuntime): object {
  const sites = cloud.resources.ofType(siteType).map(({ name }) => name);
  return Object.fromEntries(
    sites.map((name) => [name, { ...runtime.status(name), counters: runtime.counters(name) }]),
  );
}

async function handlerOf(service: Service): Promise<Handler> {
  await service.ready();
  return (request, response) => service.routing(request, response);
}
