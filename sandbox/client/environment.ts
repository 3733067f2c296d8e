/** Where the sandbox is and who one is there. */
export interface SandboxAccess {
  /** `http://127.0.0.1:PORT` */
  readonly proxy: string;
  readonly caCertificate: string;
  readonly tenantId: string;
  readonly subscriptionId: string;
  readonly clientId: string;
  /** File with the workload assertion that stands for the client's secret. */
  readonly assertionFile: string;
  /** Who one is on the sandbox's GitHub. */
  readonly github?: GitHubAccess;
  /** How one signs in to the sandbox's Kubernetes: a file, which is there once that was started. */
  readonly kubeconfig?: string;
}

export interface GitHubAccess {
  /** The organization to work in. */
  readonly owner: string;
  readonly login: string;
  readonly tokenFile: string;
  /** Configuration folder of `gh`, with the token. */
  readonly ghConfigDir: string;
}

/**
 * The environment in which any client works against the sandbox: how the network is reached and who is signed in. It
 * holds no secret: the identity is a workload's, proven by a file that only its owner can read.
 */
export function clientEnvironment(access: SandboxAccess): Record<string, string> {
  return {
    ...networkEnvironment(access),
    AZURE_TENANT_ID: access.tenantId,
    AZURE_CLIENT_ID: access.clientId,
    AZURE_FEDERATED_TOKEN_FILE: access.assertionFile,
    AZURE_AUTHORITY_HOST: "https://login.microsoftonline.com/",
    AZURE_SUBSCRIPTION_ID: access.subscriptionId,
    // DefaultAzureCredential would also try a machine's identity endpoint and other sign-ins on the machine.
    AZURE_TOKEN_CREDENTIALS: "WorkloadIdentityCredential",
    ARM_TENANT_ID: access.tenantId,
    ARM_CLIENT_ID: access.clientId,
    ARM_SUBSCRIPTION_ID: access.subscriptionId,
    ...(access.github === undefined ? {} : gitHubEnvironment(access.github)),
    ...(access.kubeconfig === undefined ? {} : { KUBECONFIG: access.kubeconfig }),
  };
}

/** For `gh`, `git` and the Pulumi provider: where the token is, not what it is. */
function gitHubEnvironment(access: GitHubAccess): Record<string, string> {
  const { owner, login, tokenFile, ghConfigDir } = access;
  const file = `'${tokenFile.replaceAll("'", "'\\''")}'`;
  const helper = `!f() { test "$1" = get || exit 0; echo username=${login}; echo "password=$(cat ${file})"; }; f`;
  return {
    GITHUB_OWNER: owner,
    KILN_GITHUB_TOKEN_FILE: tokenFile,
    GH_CONFIG_DIR: ghConfigDir,
    // What the machine's own configuration would say of github.com is left aside.
    GIT_CONFIG_COUNT: "2",
    GIT_CONFIG_KEY_0: "credential.https://github.com.helper",
    GIT_CONFIG_VALUE_0: "",
    GIT_CONFIG_KEY_1: "credential.https://github.com.helper",
    GIT_CONFIG_VALUE_1: helper,
  };
}

/** Only how the network is reached: what an inhabitant of the cloud, such as a Function App, has. */
export function networkEnvironment(
  access: Pick<SandboxAccess, "proxy" | "caCertificate">,
): Record<string, string> {
  const direct = "127.0.0.1,localhost,::1";
  return {
    HTTPS_PROXY: access.proxy,
    https_proxy: access.proxy,
    // The engine talks to its plugins on loopback, which must not go through a proxy.
    NO_PROXY: direct,
    no_proxy: direct,
    NODE_USE_ENV_PROXY: "1",
    NODE_EXTRA_CA_CERTS: access.caCertificate,
    REQUESTS_CA_BUNDLE: access.caCertificate,
    SSL_CERT_FILE: access.caCertificate,
    CURL_CA_BUNDLE: access.caCertificate,
    GIT_SSL_CAINFO: access.caCertificate,
  };
}
