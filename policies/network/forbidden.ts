import { block, common, contains, count, PUBLIC, type Range } from "./addresses.ts";
import type { Direction, Grant, Ports } from "./policy.ts";
import type { Effective, NetworkPod, Reach } from "./reach.ts";
import { type Labels, matches, type Selector } from "./selector.ts";

/** What a pod must not reach, or be reached by. */
export type Forbidden =
  /** Ingress: anyone out there. Egress: anyone out there on another port than 443 (and 6443, with a token for API servers). */
  | "internet"
  /** Pods of any project, whoever they are. Egress: on other ports than those of name resolution. */
  | "other namespaces"
  /** Where a cloud hands out the node's own identity: 169.254.169.254 and its kin, at port 80. */
  | "metadata service"
  /** The API server, by a pod that has no token for it. */
  | "API server";

/** Something forbidden that is reached. */
export interface Finding {
  readonly direction: Direction;
  readonly what: Forbidden;
  /** The policies that let it through, with the entries that do; empty where no policy selects the pod. */
  readonly by: readonly string[];
}

/**
 * More than this many addresses are no list of known ones. A provider's published ranges and a company's own are below:
 * 65,536 of version 4, a /32 of version 6.
 */
const AT_LARGE = { 4: 1n << 16n, 6: 1n << 96n } as const;

/** The pods' network as OpenShift sets it up (`networking.clusterNetwork`), the same on every cluster that says nothing else. */
const POD_NETWORK: readonly Range[] = [block("10.128.0.0/14")];

/**
 * Where the API server is: the first address of the Services' network as OpenShift and as Kubernetes set it up, and, behind the
 * translation that some networks judge after, port 6443 of the machines' network.
 */
const API_SERVICES = ["172.30.0.1", "10.96.0.1"];
const MACHINE_NETWORK: readonly Range[] = [block("10.0.0.0/16")];
const API_NAMESPACES = ["default", "openshift-kube-apiserver", "openshift-apiserver"];

/** The same address in Azure, AWS and Google Cloud, and that of AWS in version 6; all of them answer at port 80 alone. */
const METADATA = ["169.254.169.254", "fd00:ec2::254"];

/** Ports by which names are resolved: as everywhere, and where OpenShift's pods listen. */
const DNS_PORTS: ReadonlySet<number> = new Set([53, 5353]);
const DNS_NAMES: ReadonlySet<string> = new Set(["dns", "dns-tcp", "dns-udp"]);

const NAME_LABEL = "kubernetes.io/metadata.name";

/** What is forbidden of what reaches a pod. */
export function forbiddenIngress(pod: NetworkPod, reach: Reach): Finding[] {
  return [
    find("ingress", "internet", reach, (grants) => isInternet(grants.filter(({ ports }) => reaches(ports)))),
    find("ingress", "other namespaces", reach, (grants) =>
      isStrangers(
        "ingress",
        pod,
        grants.filter(({ ports }) => reaches(ports)),
      ),
    ),
  ].flat();
}

/** What is forbidden of what a pod reaches. @param token whether the pod has a token for the API server */
export function forbiddenEgress(pod: NetworkPod, reach: Reach, token: boolean): Finding[] {
  const isHttps = (port: number) => port === 443 || (token && port === 6443);
  const found = [
    find("egress", "internet", reach, (grants) =>
      isInternet(grants.filter(({ ports }) => reaches(ports, isHttps))),
    ),
    find("egress", "other namespaces", reach, (grants) =>
      isStrangers(
        "egress",
        pod,
        grants.filter(({ ports }) =>
          reaches(
            ports,
            (port) => DNS_PORTS.has(port) || (token && port === 6443),
            (name) => DNS_NAMES.has(name),
          ),
        ),
      ),
    ),
    find("egress", "metadata service", reach, isMetadata),
    token ? [] : find("egress", "API server", reach, isApiServer),
  ];
  return found.flat();
}

/** @param reached the grants, of those given, that together reach what is forbidden; none when they do not */
function find(
  direction: Direction,
  what: Forbidden,
  reach: Reach,
  reached: (grants: readonly Effective[]) => readonly Effective[],
): Finding[] {
  if (reach.open) return [{ direction, what, by: [] }];
  const by = reached(reach.grants).map(({ policy, path }) => `${policy} (${path})`);
  return by.length === 0 ? [] : [{ direction, what, by: [...new Set(by)] }];
}

/** Whether a list of ports has any, or any but some. */
function reaches(
  ports: readonly Ports[] | undefined,
  isAllowed: (port: number) => boolean = () => false,
  isAllowedName: (name: string) => boolean = () => false,
): boolean {
  if (ports === undefined) return true;
  return ports.some((each) => {
    if ("name" in each) return !isAllowedName(each.name);
    // What is allowed is a few single ports: a longer range has others.
    return each.to - each.from >= 8 || numbers(each.from, each.to).some((port) => !isAllowed(port));
  });
}

const numbers = (from: number, to: number): number[] =>
  Array.from({ length: Math.max(0, to - from + 1) }, (_, index) => from + index);

const rangesOf = ({ peers }: Grant): readonly Range[] =>
  (peers ?? []).flatMap((peer) => (peer.kind === "addresses" ? peer.ranges : []));

const isLarge = (ranges: readonly Range[]): boolean =>
  count(ranges, 4) > AT_LARGE[4] || count(ranges, 6) > AT_LARGE[6];

/** Everyone's grants; or all blocks with public addresses, when they are many together: halves of the internet are the internet. */
function isInternet(grants: readonly Effective[]): readonly Effective[] {
  const everyone = grants.filter(({ peers }) => peers === undefined);
  const parts = grants.filter((grant) => common(rangesOf(grant), PUBLIC).length > 0);
  return isLarge(common(parts.flatMap(rangesOf), PUBLIC)) ? [...everyone, ...parts] : everyone;
}

const NO_LABELS: Labels = new Map();

/** Grants to pods of namespaces that nobody named, by their labels or by their addresses. */
function isStrangers(
  direction: Direction,
  pod: NetworkPod,
  grants: readonly Effective[],
): readonly Effective[] {
  const parts = grants.filter((grant) => common(rangesOf(grant), POD_NETWORK).length > 0);
  const byAddress = isLarge(common(parts.flatMap(rangesOf), POD_NETWORK)) ? parts : [];
  const byLabels = grants.filter(
    ({ peers }) =>
      peers === undefined ||
      peers.some(
        (peer) =>
          peer.kind === "pods" &&
          peer.namespaces !== undefined &&
          (direction === "ingress" || matches(peer.pods, NO_LABELS) === true) &&
          strangersOf(pod).some((stranger) => matches(peer.namespaces as Selector, stranger) === true),
      ),
  );
  return [...byLabels, ...byAddress];
}

/**
 * Two namespaces nobody has named: a bare one, and one that wears all the labels of the pod's own, as each project of the
 * platform does, under another name. Labels of pods are their owners' choice: whoever wants to get in puts on what is asked
 * for, so they do not narrow who reaches a pod. Whom a pod reaches they do narrow: those who put them on to be reached.
 */
function strangersOf({ namespaceLabels }: NetworkPod): Labels[] {
  const name: [string, string] = [NAME_LABEL, "a-project-that-nobody-named"];
  return [new Map([name]), new Map([...(namespaceLabels ?? []), name])];
}

const admitsTcp = (ports: Grant["ports"], wanted: number): boolean =>
  ports === undefined ||
  ports.some(
    (each) => each.protocol === "TCP" && !("name" in each) && each.from <= wanted && wanted <= each.to,
  );

const isMetadata = (grants: readonly Effective[]): readonly Effective[] =>
  grants.filter(
    (grant) =>
      admitsTcp(grant.ports, 80) &&
      (grant.peers === undefined || METADATA.some((address) => contains(rangesOf(grant), address))),
  );

function isApiServer(grants: readonly Effective[]): readonly Effective[] {
  return grants.filter((grant) => {
    const { peers, ports } = grant;
    const service = admitsTcp(ports, 443);
    const endpoint = admitsTcp(ports, 6443);
    if (!service && !endpoint) return false;
    if (peers === undefined) return true;
    const ranges = rangesOf(grant);
    return (
      (service && API_SERVICES.some((address) => contains(ranges, address))) ||
      (endpoint && common(ranges, MACHINE_NETWORK).length > 0) ||
      peers.some(
        (peer) =>
          peer.kind === "pods" &&
          peer.namespaces !== undefined &&
          API_NAMESPACES.some(
            (name) => matches(peer.namespaces as Selector, new Map([[NAME_LABEL, name]])) === true,
          ),
      )
    );
  });
}
