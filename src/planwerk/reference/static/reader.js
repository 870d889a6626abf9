// Opens the reader on the document that is made for people; the download is the exact one.
const systemFont = 'system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';
const codeFont = 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace';

Redoc.init(
  "/docs/openapi.json",
  {
    downloadUrls: [{ title: "OpenAPI 3.1", url: "/openapi.json" }],
    expandResponses: "200,201",
    generatedPayloadSamplesMaxDepth: 3,
    hideSchemaTitles: true,
    jsonSampleExpandLevel: 3,
    nativeScrollbars: true,
    pathInMiddlePanel: true,
    requiredPropsFirst: true,
    theme: {
      spacing: { sectionVertical: 24 },
      colors: { primary: { main: "#1f5fbf" }, text: { primary: "#1d2733" } },
      sidebar: { backgroundColor: "#f6f8fa", textColor: "#1d2733", width: "280px" },
      rightPanel: { backgroundColor: "#1b2634", width: "38%" },
      typography: {
        fontSize: "15px",
        fontFamily: systemFont,
        headings: { fontFamily: systemFont, fontWeight: "600" },
        code: { fontFamily: codeFont, fontSize: "13px", color: "#9b2c48", backgroundColor: "#f2f4f7", wrap: true },
      },
    },
  },
  document.getElementById("reference"),
);
