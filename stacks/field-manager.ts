/** Under which name an environment manages the fields of its objects in a cluster. */
import { Output, type ResourceTransformation } from "@pulumi/pulumi";

/**
 * By which the provider is told that name. Source: pulumi-kubernetes, provider/pkg/provider/provider.go (fieldManagerName): without
 * it each creation has a random one.
 */
export const FIELD_MANAGER_ANNOTATION = "pulumi.com/patchFieldManager";

/**
 * Has objects be managed as `kiln-<environment>`. What a killed run made and could not record is made once more, over what is there;
 * with a name of its own for each try the first one's fields would stay somebody else's, and every later change of them a conflict.
 */
export function managedAsOne(environment: string): ResourceTransformation {
  const own = { [FIELD_MANAGER_ANNOTATION]: `kiln-${environment}` };
  return ({ type, props, opts }) =>
    type.startsWith("kubernetes:")
      ? {
          props: {
            ...props,
            metadata: merged(props.metadata, (metadata) => ({
              ...metadata,
              annotations: merged(metadata?.annotations, (annotations) => ({ ...annotations, ...own })),
            })),
          },
          opts,
        }
      : undefined;
}

type Fields = Readonly<Record<string, unknown>> | undefined;

/** What is known stays known: only what comes later is waited for. */
function merged(value: unknown, change: (fields: Fields) => Fields): unknown {
  return Output.isInstance<Fields>(value) ? value.apply(change) : change(value as Fields);
}
