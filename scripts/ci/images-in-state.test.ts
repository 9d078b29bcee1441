import { expect, it, test } from "vitest";
import { imagesInStateReport } from "./images-in-state.ts";

const urn = (type: string): string => `urn:pulumi:s::hyperion-registry::${type}::planted`;
const resource = (type: string, more: object = {}): object => ({
  urn: urn(type),
  type,
  custom: true,
  ...more,
});
const IMAGE = "docker:index/image:Image";
const DOCKER = "pulumi:providers:docker";
const KMS = { type: "cloud", state: { url: "gcpkms://projects/p/locations/l/keyRings/r/cryptoKeys/k" } };

/** A state with these resources and parts. */
const state = (resources: object[], parts: object = {}): string =>
  JSON.stringify({
    version: 3,
    deployment: { manifest: {}, metadata: {}, secrets_providers: KMS, resources, ...parts },
  });

it("accepts the resources that this program makes", () => {
  const login = JSON.stringify([{ address: "us-central1-docker.pkg.dev" }]);
  const inputs = { __internal: {}, version: "5.2.0", registryAuth: login, host: "unix:///run/docker.sock" };
  const made = [
    resource("pulumi:pulumi:Stack", { custom: false, outputs: {} }),
    resource(DOCKER, { inputs }),
    resource("pulumi:providers:pulumi"),
    { ...resource(IMAGE), urn: urn(`hyperion:registry:ImageBuild$${IMAGE}`), inputs: { imageName: "i" } },
  ];
  const pending = [{ resource: resource(IMAGE), type: "creating" }];
  expect(imagesInStateReport(state(made, { pending_operations: pending }))).toBe(
    "The state holds only images and tags.\n",
  );
});

const provider = (inputs: object, type = DOCKER): object => resource(type, { inputs });
const auth = (login: object): string => JSON.stringify([{ address: "evil.example.com", ...login }]);

test.each<[string, object, object?]>([
  ["a evil:index:Thing", resource("evil:index:Thing")],
  ["a pulumi-nodejs:dynamic:Resource", resource("pulumi-nodejs:dynamic:Resource")],
  ["a gcp:storage/bucket:Bucket", resource("gcp:storage/bucket:Bucket")],
  ["a toString", resource("toString")],
  // The engine loads the plugin that the URN names.
  ["a pulumi:providers:evil", { ...resource(IMAGE), urn: urn("pulumi:providers:evil") }],
  ["a pulumi:providers:gcp", { ...provider({}), urn: urn("pulumi:providers:gcp") }],
  ["its setting sshOpts", provider({ sshOpts: "[]" })],
  ["its setting host", provider({ host: "ssh://evil.example.com" })],
  ["its setting registryAuth", provider({ registryAuth: auth({ configFile: "/tmp/x" }) })],
  ["its setting registryAuth", provider({ registryAuth: "no JSON" })],
  ["its setting pluginDownloadURL", provider({ pluginDownloadURL: "https://x" }, "pulumi:providers:pulumi")],
  ["its setting artifactRegistryCustomEndpoint", provider({ artifactRegistryCustomEndpoint: "https://x" })],
  ["its setting __internal.pluginDownloadURL", provider({ __internal: { pluginDownloadURL: "https://x" } })],
  ["its setting __internal.name", provider({ __internal: { name: "evil" } }, "pulumi:providers:gcp")],
  ["its setting __internal.parameterization", provider({ __internal: { parameterization: "e30=" } })],
  ["its setting __internal.envVarMappings", provider({ __internal: { envVarMappings: { A: "B" } } })],
  ["its setting __internal", provider({ __internal: "x" })],
  ["its setting __other", provider({ __other: {} })],
  ["its snippetID", resource(IMAGE, { snippetID: "1" })],
  ["its resourceHooks", resource(IMAGE, { resourceHooks: {} })],
  ["the state's snippets", resource(IMAGE), { snippets: [] }],
  ["the state's extensions", resource(IMAGE), { extensions: {} }],
  ["the state's secrets provider service", resource(IMAGE), { secrets_providers: { type: "service" } }],
  [
    "the state's secrets provider cloud",
    resource(IMAGE),
    { secrets_providers: { type: "cloud", state: { url: "hashivault://k" } } },
  ],
  [
    "on its way",
    resource(IMAGE),
    { pending_operations: [{ resource: resource("evil:index:Thing"), type: "creating" }] },
  ],
])("refuses %s", (found, planted, parts) => {
  expect(() => imagesInStateReport(state([planted], parts))).toThrow(
    new RegExp(`Run nothing on it:\n(  .*\n)*  .*${found}\n`),
  );
});
