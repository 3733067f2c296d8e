import { type Output, output, runtime } from "@pulumi/pulumi";
import { decodeMap, encodeMap, type ValueMap } from "../../sandbox/providers/values.ts";

export type Program = () => Promise<Record<string, unknown>>;

/** A resource as a program asks for it. */
export interface RegisterRequest {
  getType(): string;
  getName(): string;
  getParent(): string;
  getCustom(): boolean;
  getDependenciesList(): string[];
  getIgnorechangesList(): string[];
  getObject(): { toJavaScript(): Record<string, unknown> } | undefined;
}

interface Monitor {
  registerResource(request: RegisterRequest, callback: (error: unknown, answer?: unknown) => void): void;
  registerResourceOutputs(request: unknown, callback: (error: unknown, answer?: unknown) => void): void;
}

/** What a program is run by. */
interface Host {
  readonly environment: string;
  readonly config: Readonly<Record<string, string>>;
  /** Makes a resource, and gives the answer for the program. */
  readonly register: (request: RegisterRequest) => Promise<unknown>;
  /** Calls a provider's function. */
  readonly call: (token: string, args: ValueMap) => Promise<ValueMap>;
}

/**
 * Runs a program in this process, its resources registered with a host in the engine's place.
 * @returns what it tells
 * @throws what the host threw for a resource; the program is left where it is, as the engine leaves it
 */
export async function runProgram(program: Program, host: Host): Promise<Record<string, unknown>> {
  const stopped = Promise.withResolvers<never>();
  const call = async ({ token, inputs }: { token: string; inputs: Record<string, unknown> }) =>
    encodeMap(await host.call(token, decodeMap(inputs)));
  const newResource = () => {
    throw new Error("resources are registered with the host");
  };
  await runtime.setMocks({ newResource, call }, "kiln", host.environment, false);
  const monitor = runtime.getMonitor() as unknown as Monitor;
  monitor.registerResourceOutputs = (_, callback) => callback(null, {});
  monitor.registerResource = (request, callback) => {
    host.register(request).then((answer) => callback(null, answer), stopped.reject);
  };
  runtime.setAllConfig({ ...host.config });
  const made = async () => {
    const outputs = await resolved(output(await program()));
    await runtime.disconnect();
    return outputs;
  };
  return (await Promise.race([made(), stopped.promise])) as Record<string, unknown>;
}

function resolved<T>(value: Output<T>): Promise<T> {
  return new Promise((resolve) => {
    value.apply((each) => resolve(each));
  });
}
