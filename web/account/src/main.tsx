import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AccessProvider } from "./access";
import { App } from "./App";
import { applyBrand } from "./brand";
import "./account.css";

applyBrand();

const root = document.getElementById("account");
if (root) {
  createRoot(root).render(
    <StrictMode>
      <AccessProvider>
        <App />
      </AccessProvider>
    </StrictMode>,
  );
}
