import {
  type Answer,
  type ArmClient,
  ArmError,
  armError,
  armHost,
  isRecord,
  pause,
  retryAfterMs,
} from "./arm-client.ts";

/** Between polls, when the service names no wait. */
const defaultPollMs = 1_000;

interface Started {
  readonly method: "PUT" | "DELETE";
  readonly path: string;
  readonly apiVersion: string;
}

/**
 * Follows what a PUT or DELETE started until it is over, as azcore's pollers do: by `Azure-AsyncOperation`, else by
 * `Location`, else by the `provisioningState` of the answer.
 * @throws ArmError when the operation failed, or when a 202 names nothing to poll.
 */
export async function followOperation(
  client: ArmClient,
  started: Started,
  first: Answer,
  signal: AbortSignal | undefined,
): Promise<void> {
  const operation = first.headers["azure-asyncoperation"];
  if (operation !== undefined) return followStatus(client, addressOf(operation, started), first, signal);
  const location = first.headers.location;
  if (first.status === 202) {
    if (location === undefined) {
      throw new ArmError(
        202,
        undefined,
        `the answer to ${started.method} ${started.path} names no operation to poll`,
      );
    }
    return followLocation(client, addressOf(location, started), first, signal);
  }
  if (started.method === "PUT") return followState(client, started, first, signal);
}

async function followStatus(
  client: ArmClient,
  address: Address,
  first: Answer,
  signal?: AbortSignal,
): Promise<void> {
  for (let answer = first; ; ) {
    await pause(retryAfterMs(answer.headers) ?? defaultPollMs, signal);
    answer = await poll(client, address, signal);
    if (answer.status >= 400) throw armError(answer);
    const status = isRecord(answer.body) ? answer.body.status : undefined;
    if (typeof status !== "string") {
      throw new ArmError(answer.status, undefined, `the operation at ${address.path} shows no status`);
    }
    if (isOver(status, answer)) return;
  }
}

async function followLocation(
  client: ArmClient,
  address: Address,
  first: Answer,
  signal?: AbortSignal,
): Promise<void> {
  for (let answer = first; answer.status === 202; ) {
    await pause(retryAfterMs(answer.headers) ?? defaultPollMs, signal);
    answer = await poll(client, address, signal);
    if (answer.status >= 400) throw armError(answer);
  }
}

async function followState(
  client: ArmClient,
  started: Started,
  first: Answer,
  signal?: AbortSignal,
): Promise<void> {
  const address = { path: started.path, query: { "api-version": started.apiVersion } };
  for (let answer = first; ; ) {
    const state = provisioningState(answer.body);
    if (state === undefined || isOver(state, answer)) return;
    await pause(retryAfterMs(answer.headers) ?? defaultPollMs, signal);
    answer = await poll(client, address, signal);
    if (answer.status >= 400) throw armError(answer);
  }
}

function provisioningState(body: unknown): string | undefined {
  const state = isRecord(body) && isRecord(body.properties) ? body.properties.provisioningState : undefined;
  return typeof state === "string" ? state : undefined;
}

/** Whether a status is a last one; a bad last one is thrown. */
function isOver(status: string, answer: Answer): boolean {
  switch (status.toLowerCase()) {
    case "succeeded":
      return true;
    case "failed":
    case "canceled":
    case "cancelled": {
      const error = isRecord(answer.body) ? answer.body.error : undefined;
      if (isRecord(error)) throw armError({ ...answer, body: { error } });
      throw new ArmError(answer.status, status, `the operation ended as ${status}`);
    }
    default:
      return false;
  }
}

interface Address {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
}

function poll(client: ArmClient, address: Address, signal: AbortSignal | undefined): Promise<Answer> {
  return client.send({
    method: "GET",
    host: armHost,
    ...address,
    ...(signal === undefined ? {} : { signal }),
  });
}

/** Polling addresses are absolute; a relative one is taken as ARM's. Another host would get ARM's token: refused. */
function addressOf(header: string, started: Started): Address {
  const url = new URL(header, `https://${armHost}`);
  if (url.host !== armHost) {
    throw new ArmError(
      202,
      undefined,
      `the operation of ${started.path} would be polled at '${url.host}', which is not ARM`,
    );
  }
  const query = Object.fromEntries(url.searchParams);
  return {
    path: url.pathname,
    query: "api-version" in query ? query : { ...query, "api-version": started.apiVersion },
  };
}
