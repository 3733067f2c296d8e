import { entries, KUBERNETES } from "../kubernetes/objects.ts";
import { type Container, containersOf, type Pod, podsOf } from "../kubernetes/pods.ts";
import { at, isObject, isPresent, type Rule, UNKNOWN, type Value, type Violation } from "../model.ts";

/** `registry/path@sha256:<64 hexadecimal digits>`, with or without a tag before the digest. */
const BY_DIGEST = /^[^\s@]+@sha256:[0-9a-f]{64}$/;
const LATEST = /:latest(?:@|$)/i;

/**
 * A tag is whatever its owner last pushed under it: two pods of one Deployment may run different code, and a new pod runs code
 * that nobody looked at. Models in images (`oci://`) and volumes made of images are images, too.
 */
export const imageByDigest: Rule = {
  name: "image-by-digest",
  description: "Every container runs an image named by its digest, and none is called latest.",
  severity: "high",
  package: KUBERNETES,
  check: (resource) =>
    podsOf(resource).flatMap((pod) => [
      ...containersOf(pod).flatMap(imagesOf),
      ...entries(pod.spec.volumes, `${pod.path}.volumes`).flatMap(({ value, path }) =>
        isObject(value) ? judged(at(value, "image.reference"), `${path}.image.reference`, false) : [],
      ),
      ...modelImages(pod),
    ]),
};

function imagesOf({ role, container, path, pod }: Container): Violation[] {
  // What KServe finds no image in runs the runtime's, which is judged where the runtime is made; a patch leaves it as it is.
  const inherited = role === "model" || pod.maker === "kserve" || pod.of.patch;
  return [
    ...judged(container.image, `${path}.image`, !inherited),
    ...(role === "model" ? judgedModel(container.storageUri, `${path}.storageUri`) : []),
  ];
}

const modelImages = (pod: Pod): Violation[] =>
  pod.maker === "kserve"
    ? entries(pod.spec.storageUris, `${pod.path}.storageUris`).flatMap(({ value, path }) =>
        isObject(value) ? judgedModel(value.uri, `${path}.uri`) : [],
      )
    : [];

/** A model in an image becomes a container of its own. */
const judgedModel = (uri: Value | undefined, property: string): Violation[] =>
  typeof uri === "string" && /^oci:\/\//i.test(uri) ? judged(uri, property, false) : [];

function judged(image: Value | undefined, property: string, needed: boolean): Violation[] {
  if (image === UNKNOWN || (!needed && !isPresent(image))) return [];
  if (typeof image !== "string" || !BY_DIGEST.test(image))
    return [
      { property, message: "must name the image by digest, registry/path@sha256:…: a tag can be moved." },
    ];
  return LATEST.test(image)
    ? [{ property, message: "must not be called latest: beside a digest it says something that is not so." }]
    : [];
}
