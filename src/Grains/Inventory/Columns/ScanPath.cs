using System.Runtime.CompilerServices;

namespace Muster.Grains.Inventory.Columns;

/// <summary>How the methods are compiled that every row of a scan goes through.</summary>
internal static class ScanPath
{
    /// <summary>
    /// At once as good as they get. A cold start is over before the runtime has counted, instrumented and compiled them again, and of
    /// 100,000 devices three quarters of the time in them was that of code not yet optimized. Questions go through other methods, and are
    /// better off with what the runtime learns.
    /// </summary>
    public const MethodImplOptions Options = MethodImplOptions.AggressiveOptimization;
}
