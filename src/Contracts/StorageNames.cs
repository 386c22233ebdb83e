namespace Muster.Contracts;

/// <summary>Names of storage providers.</summary>
public static class StorageNames
{
    /// <summary>The provider whose write is the commit.</summary>
    public const string Muster = "muster";
}
