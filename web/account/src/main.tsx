import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { AccessProvider } from "./access";
import { App } from "./App";
import { applyBrand } from "./brand";
import { comeBack } from "./providers";
import "./account.css";

applyBrand();
comeBack();

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
