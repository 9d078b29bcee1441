import { platformTag } from "../../components/images/tags/names.ts";

/** The platform of this machine's containers. */
export const nativePlatform = process.arch === "arm64" ? "linux/arm64" : "linux/amd64";

/** The tag of the image for this machine's platform in the engine after an `up`. */
export const nativeBuild = platformTag(nativePlatform);
