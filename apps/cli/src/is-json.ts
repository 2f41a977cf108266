/** JSON is YAML too, but its text is to be kept as it is: the spelling of numbers and the order of keys decide payload bytes. */
export function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
