import { useEffect, useRef, useState } from "react";

/** A state that follows a value until it is given another one. */
export function useFollowingState(value: string) {
  const [state, setState] = useState(value);
  const [followed, setFollowed] = useState(value);
  if (followed !== value) {
    setFollowed(value);
    if (state === followed) setState(value);
  }
  return [state, setState] as const;
}

/** Return the ref of a field that follows its default value until the user has changed it. */
export function useFollowingField<Element extends HTMLInputElement | HTMLSelectElement>(
  defaultValue: unknown,
) {
  const field = useRef<Element>(null);
  const followed = useRef(defaultValue);
  useEffect(() => {
    const { current } = field;
    if (current && current.value === followed.current) current.value = String(defaultValue);
    followed.current = defaultValue;
  }, [defaultValue]);
  return field;
}
