/** The context, cluster and user entry of every kubeconfig that the sandbox writes. */
export const contextName = "kiln-sandbox";

/**
 * A kubeconfig with one context. Authority and token stand in the file itself, so that it can be read from anywhere.
 * @param options.server `https://127.0.0.1:PORT`
 * @param options.ca the authority's certificate, PEM
 */
export function kubeconfig(options: {
  readonly server: string;
  readonly ca: string;
  readonly user: string;
  readonly token: string;
}): string {
  const text = (value: string): string => JSON.stringify(value);
  return `apiVersion: v1
kind: Config
current-context: ${contextName}
clusters:
  - name: ${contextName}
    cluster:
      server: ${text(options.server)}
      certificate-authority-data: ${Buffer.from(options.ca).toString("base64")}
contexts:
  - name: ${contextName}
    context:
      cluster: ${contextName}
      user: ${text(options.user)}
users:
  - name: ${text(options.user)}
    user:
      token: ${text(options.token)}
`;
}
