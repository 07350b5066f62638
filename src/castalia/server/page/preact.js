// What the rooms use of Preact and htm, and an id for a label and its field, which this version of the hooks lacks.
import { useState } from "./vendor/htm-preact.js";

export { html, render, useEffect, useErrorBoundary, useMemo, useRef, useState } from "./vendor/htm-preact.js";

let last = 0;
export const useId = () => useState(() => `id-${(last += 1)}`)[0];
