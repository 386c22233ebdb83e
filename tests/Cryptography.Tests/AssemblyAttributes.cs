using System.Runtime.Versioning;

// File modes are tested.
[assembly: SupportedOSPlatform("linux")]
[assembly: SupportedOSPlatform("macos")]
