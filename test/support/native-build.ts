import { platformTag } from "../../components/images/tags/names.ts";

/** The tag under which an `up` leaves the image of this machine's platform in the engine. */
export const nativeBuild = platformTag(process.arch === "arm64" ? "linux/arm64" : "linux/amd64");
