import { CONTAINER_SECURITY, POD_SECURITY } from "../pod-security.ts";
import { postgresHost, VARIABLES } from "./configuration.ts";
import { type AgentSettings, DATABASE, PATHS, POSTGRES_PORT, SERVICE_CA_CONFIG_MAP } from "./settings.ts";

/** What every pod of an agent has. Pure. */
export function basePod(serviceAccount: string, token: boolean) {
  return {
    serviceAccountName: serviceAccount,
    automountServiceAccountToken: token,
    // Variables with the address of every Service of the namespace; nobody here reads them.
    enableServiceLinks: false,
    securityContext: POD_SECURITY,
  };
}

/** What every container of an agent has. Pure. */
export function baseContainer(name: string, image: string) {
  return {
    name,
    image,
    imagePullPolicy: "IfNotPresent",
    securityContext: CONTAINER_SECURITY,
  };
}

/** How a pod of the agent's image reaches the database: libpq's variables, which every client knows. Pure. */
export function databaseEnvironment(settings: AgentSettings) {
  const plain = {
    PGHOST: postgresHost(settings),
    PGPORT: String(POSTGRES_PORT),
    PGDATABASE: DATABASE,
    PGUSER: DATABASE,
    PGSSLMODE: "verify-full",
    PGSSLROOTCERT: `${PATHS.serviceCa}/service-ca.crt`,
  };
  return [
    ...Object.entries(plain).map(([name, value]) => ({ name, value })),
    {
      name: VARIABLES.password,
      valueFrom: { secretKeyRef: { name: settings.names.postgresPassword, key: "password" } },
    },
  ];
}

/** Volumes of the agent's image, whatever it is started as, and where they are mounted. Pure. */
export function imageVolumes({ names }: AgentSettings) {
  return {
    volumes: [
      { name: "configuration", configMap: { name: names.configuration } },
      { name: "service-ca", configMap: { name: SERVICE_CA_CONFIG_MAP } },
      // The root is read-only; what an interpreter writes meanwhile goes here.
      { name: "tmp", emptyDir: { sizeLimit: "256Mi" } },
    ],
    volumeMounts: [
      { name: "configuration", mountPath: PATHS.configuration, readOnly: true },
      { name: "service-ca", mountPath: PATHS.serviceCa, readOnly: true },
      { name: "tmp", mountPath: "/tmp" },
    ],
  };
}
