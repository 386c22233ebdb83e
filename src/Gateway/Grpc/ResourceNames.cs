using Muster.Domain;
using Muster.Domain.Devices;
using Muster.Domain.EndOfSupport;
using Muster.Domain.Images;

namespace Muster.Gateway.Grpc;

/// <summary>Names of resources: <c>tenants/{tenant}/{collection}/{id}</c>. The only place that takes them apart and builds them.</summary>
internal static class ResourceNames
{
    private const string Tenants = "tenants";

    public static string Of(TenantId tenant) => $"{Tenants}/{tenant}";

    public static string Of(TenantId tenant, string collection, string id) => $"{Tenants}/{tenant}/{collection}/{id}";

    public static bool TryParseParent(string text, out TenantId tenant)
    {
        tenant = default;
        var parts = text.Split('/', 3);
        return parts.Length == 2 && parts[0] == Tenants && TenantId.TryParse(parts[1], out tenant);
    }

    public static bool TryParse(string text, string collection, out TenantId tenant, out string id)
    {
        (tenant, id) = (default, "");
        var parts = text.Split('/', 5);
        if (parts.Length != 4 || parts[0] != Tenants || parts[2] != collection || !TenantId.TryParse(parts[1], out tenant))
        {
            return false;
        }

        id = parts[3];
        return id.Length > 0;
    }

    public static TenantId ParentOf(string text) => TryParseParent(text, out var tenant) ? tenant : throw NotValidated(text);

    // The validators have seen every name before a service does.
    public static (TenantId Tenant, DeviceId Device) DeviceOf(string name) =>
        TryParse(name, "devices", out var tenant, out var id) && DeviceId.TryParse(id, out var device)
            ? (tenant, device)
            : throw NotValidated(name);

    public static (TenantId Tenant, DeviceId Device) WarrantyOf(string name) => DeviceOf(name[..name.LastIndexOf('/')]);

    public static (TenantId Tenant, DeviceId Device) DecommissionOf(string name) =>
        TryParse(name, "decommissions", out var tenant, out var id) && DeviceId.TryParse(id, out var device)
            ? (tenant, device)
            : throw NotValidated(name);

    public static (TenantId Tenant, DeviceId Device) EnrollmentOf(string name) =>
        TryParse(name, "enrollments", out var tenant, out var id) && DeviceId.TryParse(id, out var device)
            ? (tenant, device)
            : throw NotValidated(name);

    /// <summary>A serial is the installation's: its name is under the tenant whose administrators look after that.</summary>
    public static DeviceId SerialOf(string name) =>
        TryParse(name, "serials", out _, out var id) && DeviceId.TryParse(id, out var device) ? device : throw NotValidated(name);

    public static (TenantId Tenant, ImageDigest Digest) ImageOf(string name) =>
        TryParse(name, "images", out var tenant, out var id) && ImageDigest.TryParse(id, out var digest)
            ? (tenant, digest)
            : throw NotValidated(name);

    public static (TenantId Tenant, ProductId Product) ProductOf(string name) =>
        TryParse(name, "products", out var tenant, out var id) && ProductId.TryParse(id, out var product)
            ? (tenant, product)
            : throw NotValidated(name);

    public static (TenantId Tenant, ResourceId Id) ResourceOf(string name, string collection) =>
        TryParse(name, collection, out var tenant, out var id) && ResourceId.TryParse(id, out var resource)
            ? (tenant, resource)
            : throw NotValidated(name);

    private static InvalidOperationException NotValidated(string name) => new($"The name '{name}' was not validated.");
}
