// Checks that ask the server itself something about HTTP. A server that speaks stdio has no streams to close and to resume.
export const TRANSPORT_ONLY = []
