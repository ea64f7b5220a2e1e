/* Passkeys: asks the browser for one and sends what it gives with the form around the button.

   <form data-passkey="login|get|create" data-options="id of a json_script">: "login" fetches its options from the form's
   own address. A hidden form is shown where the browser knows passkeys. */
(() => {
  "use strict";
  const toBytes = (text) => Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (letter) => letter.charCodeAt(0));
  const toText = (buffer) => btoa(String.fromCharCode(...new Uint8Array(buffer))).replace(/\+/g, "-").replace(/\//g, "_").replace(/=+$/, "");
  const named = (list) => (list || []).map((each) => ({ ...each, id: toBytes(each.id) }));

  async function optionsOf(form) {
    if (form.dataset.passkey !== "login") return JSON.parse(document.getElementById(form.dataset.options).textContent);
    const answer = await fetch(form.action, { headers: { Accept: "application/json" } });
    if (!answer.ok) throw new Error(`The server answered ${answer.status}.`);
    return answer.json();
  }

  async function create(form) {
    const { creation_options: { publicKey } } = await optionsOf(form);
    const alone = form.elements.passwordless;
    if (alone) {
      publicKey.authenticatorSelection = {
        ...publicKey.authenticatorSelection,
        residentKey: alone.checked ? "required" : "discouraged", requireResidentKey: alone.checked,
        userVerification: alone.checked ? "required" : publicKey.authenticatorSelection.userVerification,
      };
    }
    const made = await navigator.credentials.create({ publicKey: {
      ...publicKey, challenge: toBytes(publicKey.challenge), user: { ...publicKey.user, id: toBytes(publicKey.user.id) },
      excludeCredentials: named(publicKey.excludeCredentials),
    } });
    return { ...common(made), response: {
      clientDataJSON: toText(made.response.clientDataJSON), attestationObject: toText(made.response.attestationObject),
      transports: made.response.getTransports ? made.response.getTransports() : [],
    } };
  }

  async function get(form) {
    const { request_options: { publicKey } } = await optionsOf(form);
    const found = await navigator.credentials.get({ publicKey: {
      ...publicKey, challenge: toBytes(publicKey.challenge), allowCredentials: named(publicKey.allowCredentials),
    } });
    const { clientDataJSON, authenticatorData, signature, userHandle } = found.response;
    return { ...common(found), response: {
      clientDataJSON: toText(clientDataJSON), authenticatorData: toText(authenticatorData), signature: toText(signature),
      userHandle: userHandle ? toText(userHandle) : null,
    } };
  }

  const common = (credential) => ({
    id: credential.id, rawId: toText(credential.rawId), type: credential.type,
    clientExtensionResults: credential.getClientExtensionResults(),
  });

  function tell(form, error) {
    const place = form.querySelector("[data-trouble]");
    const { unsupported, known, refused } = place.dataset;
    place.textContent = { SecurityError: unsupported, NotSupportedError: unsupported, InvalidStateError: known }[error.name] || refused;
    place.hidden = false;
  }

  document.querySelectorAll("form[data-passkey]").forEach((form) => {
    const supported = window.PublicKeyCredential && navigator.credentials;
    if (supported) form.hidden = false;
    form.addEventListener("submit", async (event) => {
      if (form.elements.credential.value) return;
      event.preventDefault();
      const button = form.querySelector("button:not([type=button])");
      button.disabled = true;
      try {
        if (!supported) throw new DOMException("", "NotSupportedError");
        const credential = await (form.dataset.passkey === "create" ? create(form) : get(form));
        form.elements.credential.value = JSON.stringify(credential);
        form.submit();
      } catch (error) {
        tell(form, error);
        button.disabled = false;
      }
    });
  });
})();
