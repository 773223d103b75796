// In a file of its own: the page's policy runs no script that stands within it.

const dark = matchMedia("(prefers-color-scheme: dark)");
const followSystem = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followSystem);
followSystem();

fetch("openapi.json")
  .then((response) => response.json())
  .then((description) => {
    SwaggerUIBundle({
      // A proxy may serve the API under a path that the server does not know.
      spec: { ...description, servers: [{ url: new URL(".", window.location.href).pathname }] },
      dom_id: "#swagger-ui",
      deepLinking: true,
      tryItOutEnabled: true,
    });
  });
