import type { KeyMaterial } from "../keys/key-material.ts";
import type { AccountKeys, ConsumingApp, VersionedSecret } from "../keys/ports.ts";

/** What an HTTP route answered. */
export interface RouteAnswer {
  readonly status: number;
  readonly body: string;
}

/** The data plane of the model. */
export interface ModelGate {
  /** Asks for something that costs nothing, with this key. */
  knock(key: KeyMaterial): Promise<RouteAnswer>;
}

/** A Function App that uses the secret. */
export interface Consumer {
  readonly app: string;
  /** Whether the environment made the app, whose backend can then prove which key it serves; an adopted one may not. */
  readonly made: boolean;
  readonly references: ConsumingApp;
  /** `GET /api/health` with a challenge for the key. */
  health(challenge: string): Promise<RouteAnswer>;
  /** A call of the model through the app. */
  chat(): Promise<RouteAnswer>;
}

/** Everything that a rotation touches. Each call throws the SDK's error when the cloud refuses. */
export interface RotationPorts {
  readonly keys: AccountKeys;
  readonly secret: VersionedSecret;
  readonly model: ModelGate;
  readonly consumers: readonly Consumer[];
}
