import { beforeEach, expect, it, test } from "vitest";
import { useShell } from "../test/support/shell.ts";

const script = "scripts/check-compose.sh";

/** Knows the containers and volumes that $CONTAINERS and $VOLUMES name. */
const docker = `
case "$1 $2" in
  "version ") ;;
  "ps --filter") for name in $CONTAINERS; do [ "$3" != "name=^$name$" ] || echo dev-squad; done ;;
  "volume ls") printf '%s\\n' $VOLUMES ;;
  "volume inspect") exit 1 ;;
esac`;

const shell = useShell();

beforeEach(() => {
  shell.fake("docker", docker);
  shell.environment["CONTAINERS"] = "";
  shell.environment["VOLUMES"] = "hyperion_mongodb-data";
});

const check = () => shell.run(script, [shell.folder]);

it("finds nothing on a machine that never had Hyperion, and says how to start it", () => {
  shell.write(".env", "# nothing\n");
  expect(check()).toEqual({
    status: 0,
    stdout: "Nothing found: docker compose up --detach --wait\n",
    stderr: "",
  });
});

test.each([
  ["MONGODB_URI=mongodb://mongodb:27017", "MONGODB_URI has no login", "sed -i.old '/^MONGODB_URI=/d' .env"],
  [
    "MONGODB_URI='mongodb://admin:admin123@mongodb:27017/?authSource=admin'",
    "logs in as admin, and the database's user is hyperion",
    "sed -i.old '/^MONGODB_URI=/d' .env",
  ],
  [
    "MONGODB_URI=mongodb+srv://dana:secret@cluster.example.net/?w=majority",
    "names cluster.example.net",
    "echo HYPERION_MONGODB=elsewhere >> .env",
  ],
  ["QDRANT_URL=https://q.example.com:6333", "names q.example.com", "echo HYPERION_QDRANT=elsewhere >> .env"],
  [
    "HYPERION_QDRANT=elsewhere",
    "QDRANT_URL does not say where",
    "sed -i.old 's|^HYPERION_QDRANT=.*|HYPERION_QDRANT=local|' .env",
  ],
  ["QDRANT_URL=http://qdrant:6333/", "ends in a slash", "QDRANT_URL=http://qdrant:6333|"],
  ["HYPERION_MONGODB=remote", "is not a place", "HYPERION_MONGODB=local"],
  ["WEB_PORT=7777", "it is called HYPERION_UI_PORT now", "sed -i.old 's/^WEB_PORT=/HYPERION_UI_PORT=/' .env"],
  [
    "MONGO_ROOT_PASSWORD=x",
    "it is called MONGODB_PASSWORD now",
    "s/^MONGO_ROOT_PASSWORD=/MONGODB_PASSWORD=/",
  ],
  ["MONGODB_PORT=27017", "have no port on this machine", "sed -i.old '/^MONGODB_PORT=/d' .env"],
  ["EMBEDDING=openai", "needs OPENAI_API_KEY", "EMBEDDING=local"],
  ["EMBEDDING=voyage", "none of local, openai", "EMBEDDING=local"],
  [
    'HYPERION_REGISTRY="https://us-central1-docker.pkg.dev/p/r/"',
    "neither a scheme nor a slash",
    "HYPERION_REGISTRY=us-central1-docker.pkg.dev/p/r",
  ],
  ["HYPERION_TAG=@sha256:00ff", "a lock file pins them", "docker compose config --lock-image-digests"],
  ["HYPERION_TAG=1.4.2 beta", "is no tag", "HYPERION_TAG=latest"],
])("of %s in .env it says what is wrong and how to fix it", (line, what, fix) => {
  const file = shell.write(".env", `${line}\n`);
  const { status, stdout } = check();
  expect(stdout).toContain(what);
  expect(stdout).toContain(`    fix: `);
  expect(stdout).toContain(fix);
  expect(status).toBe(1);
  expect(shell.read(".env"), file).toBe(`${line}\n`);
});

test.each([["1.4.2"], ["v1.4.2"], ["1"], ["latest"], ["abc123f"], ["2025-01-10"]])(
  "takes the tag %s",
  (tag) => {
    shell.write(
      ".env",
      `HYPERION_TAG=${tag}\nHYPERION_MONGODB=elsewhere\nMONGODB_URI=mongodb://d:s@db.example.com\n`,
    );
    expect(check()).toMatchObject({ status: 0 });
  },
);

it("finds volumes, containers, an override and clients of an earlier compose file, all at once", () => {
  shell.environment["CONTAINERS"] = "hyperion-http-bridge";
  shell.environment["VOLUMES"] = "dev-squad_mongodb_data dev-squad_qdrant_data unrelated";
  shell.write(
    "docker-compose.override.yml",
    'services:\n  hyperion-ui:\n    ports:\n      - "9173:80"  # host\n',
  );
  const client = { command: "docker", args: ["exec", "-i", "hyperion-http-bridge", "/app/hyper-mcp"] };
  shell.write(".claude.json", JSON.stringify({ mcpServers: { hyperion: client } }, null, 2));
  const { status, stdout } = check();
  expect(status).toBe(1);
  for (const fix of [
    "docker compose --project-name dev-squad down",
    "scripts/copy-compose-volumes.sh dev-squad",
    "mv docker-compose.override.yml docker-compose.override.yml.old",
    '"url": "http://localhost:7778/mcp"',
  ])
    expect(stdout).toContain(fix);
  expect(stdout).not.toContain("unrelated");
});

it("leaves an override alone that opens ports on this machine only", () => {
  shell.write("docker-compose.override.yml", 'services:\n  x:\n    ports:\n      - "127.0.0.1:9173:80"\n');
  expect(check()).toMatchObject({ status: 0 });
});

it("goes on without Docker, and says so", () => {
  shell.fake("docker", "exit 1");
  expect(check().stdout).toContain("Docker does not answer");
});

it("refuses what it does not know", () => {
  expect(shell.run(script, ["--fix"])).toMatchObject({ status: 2 });
  expect(shell.run(script, [`${shell.folder}/none`])).toMatchObject({ status: 2 });
});
