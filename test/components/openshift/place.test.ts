import type { Resource } from "@pulumi/pulumi";
import { expect, test } from "vitest";
import {
  behindGuards,
  besideGuards,
  type ProjectPlace,
  placed,
} from "../../../components/openshift/place.ts";

const resource = (name: string) => ({ name }) as unknown as Resource;
const [namespaceObject, quota, parent, runtime] = ["namespace", "quota", "parent", "runtime"].map(
  resource,
) as [Resource, Resource, Resource, Resource];
const project: ProjectPlace = { namespace: "fraud", namespaceObject, ready: [quota] };

test("what runs comes after the guards of its project, and goes with the namespace", () => {
  expect(placed(project, { parent }, [runtime])).toEqual({
    parent,
    dependsOn: [quota, runtime],
    deletedWith: namespaceObject,
  });
});

test("what comes after something behind the guards need not name them", () => {
  expect(placed(behindGuards(project), { parent }, [runtime])).toEqual({
    parent,
    dependsOn: [runtime],
    deletedWith: namespaceObject,
  });
});

test("what runs nothing comes after the namespace alone", () => {
  expect(placed(besideGuards(project), { parent })).toEqual({
    parent,
    dependsOn: [namespaceObject],
    deletedWith: namespaceObject,
  });
});

test("in a namespace of others nothing is waited for", () => {
  expect(placed(besideGuards({ namespace: "theirs", ready: [quota] }), { parent })).toEqual({ parent });
  expect(placed(behindGuards({ namespace: "theirs" }), { parent })).toEqual({ parent });
});
