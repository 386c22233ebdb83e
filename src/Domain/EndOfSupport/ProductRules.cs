namespace Muster.Domain.EndOfSupport;

/// <summary>
/// Decides about a product. It never decommissions anything: it tells its status and says which campaign is to be open.
/// </summary>
public static class ProductRules
{
    /// <summary>Before the first network camera (1996); catches a year typed with two digits.</summary>
    public const int YearMin = 1990;

    /// <summary>Keeps every derived date inside the calendar's range.</summary>
    public const int YearMax = 2200;

    /// <summary>Creates a product. The same request id with the same request gives the same answer.</summary>
    public static Decision<Product?> Create(
        Product? current, (TenantId Tenant, ProductId Product) name, ProductSpec spec, string requestId, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(spec);
        if (current is not null)
        {
            // A repetition names the request that created it, even after the dates were changed.
            if (requestId.Length == 0 || current.RequestId != requestId)
            {
                return Decision.Refuse<Product?>(current, ProductErrors.Exists(name.Product));
            }

            return current.CreatedAs == spec
                ? Decision.Unchanged<Product?>(current)
                : Decision.Refuse<Product?>(current, RequestErrors.IdReused(requestId));
        }

        if (Check(spec) is { } error)
        {
            return Decision.Refuse(current, error);
        }

        var status = SupportEvaluator.StatusAt(spec.Window, now);
        var product = new Product
        {
            Tenant = name.Tenant,
            Id = name.Product,
            Spec = spec,
            RequestId = requestId,
            CreatedAs = spec,
            CreatedAt = now,
            ToldStatus = status,
            ChangedAt = now,
        };
        return Decision.Accept<Product?>(
            product,
            new ProductSet(name.Product, spec),
            new SupportStatusChanged(name.Product, status, SupportEvaluator.EndsAt(spec.Window)));
    }

    /// <summary>Changes dates and replacement.</summary>
    public static Decision<Product> Update(Product product, ProductSpec spec, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(product);
        ArgumentNullException.ThrowIfNull(spec);
        if (Check(spec) is { } error)
        {
            return Decision.Refuse(product, error);
        }

        if (product.Spec == spec)
        {
            return Decision.Unchanged(product);
        }

        var status = SupportEvaluator.StatusAt(spec.Window, now);
        var next = product with { Spec = spec, ToldStatus = status, ChangedAt = now };
        var set = new ProductSet(product.Id, spec);
        return status == product.ToldStatus
            ? Decision.Accept(next, set)
            : Decision.Accept(next, set, new SupportStatusChanged(product.Id, status, SupportEvaluator.EndsAt(spec.Window)));
    }

    /// <summary>The campaign that has to be open at an instant; empty for none.</summary>
    public static string CampaignAt(Product product, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(product);
        return SupportEvaluator.EndsAt(product.Spec.Window) is { } endsAt && now >= endsAt ? Product.CampaignOf(product.Id, endsAt) : "";
    }

    /// <summary>
    /// The clock moved, and the end-of-support grain has exactly <paramref name="openCampaign"/> open: tells what is new.
    /// </summary>
    public static Decision<Product> Look(Product product, string openCampaign, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(product);
        var facts = ImmutableArray.CreateBuilder<DomainEvent>();
        var endsAt = SupportEvaluator.EndsAt(product.Spec.Window);
        var status = SupportEvaluator.StatusAt(product.Spec.Window, now);
        if (status != product.ToldStatus)
        {
            facts.Add(new SupportStatusChanged(product.Id, status, endsAt));
        }

        if (product.OpenCampaign != openCampaign)
        {
            if (product.OpenCampaign.Length > 0)
            {
                facts.Add(new SupportEndWithdrawn(product.Id, product.OpenCampaign));
            }

            if (openCampaign.Length > 0 && endsAt is { } at)
            {
                facts.Add(new SupportEnded(product.Id, at, openCampaign));
            }
        }

        return facts.Count == 0
            ? Decision.Unchanged(product)
            : Decision.Accept(product with { ToldStatus = status, OpenCampaign = openCampaign }, facts.ToImmutable());
    }

    /// <summary>
    /// When the product wants to be looked at: at once while another campaign is open than its dates say, else at the
    /// next date that changes its status.
    /// </summary>
    public static DateTimeOffset? NextDueAt(Product product)
    {
        ArgumentNullException.ThrowIfNull(product);
        var window = product.Spec.Window;
        if (SupportEvaluator.EndsAt(window) is not { } endsAt)
        {
            return product.OpenCampaign.Length > 0 ? product.ChangedAt : null;
        }

        var campaign = Product.CampaignOf(product.Id, endsAt);
        if (product.OpenCampaign.Length > 0 && product.OpenCampaign != campaign)
        {
            return product.ChangedAt;
        }

        if (product.OpenCampaign == campaign)
        {
            // Moved ahead within the same second of the id: the status alone is told again.
            return product.ToldStatus == SupportStatus.EndOfSupport ? null : endsAt;
        }

        return product.ToldStatus is SupportStatus.EndingWithin12Months or SupportStatus.EndOfSupport
            ? endsAt
            : SupportEvaluator.WarnsAt(window);
    }

    private static FleetError? Check(ProductSpec spec)
    {
        if (spec.Replacement.Length > ProductSpec.ReplacementLengthMax)
        {
            return ProductErrors.ReplacementTooLong();
        }

        var window = spec.Window;
        foreach (var (field, date) in new[]
        {
            ("discontinued_at", window.DiscontinuedAt),
            ("os_support_ends_at", window.OsSupportEndsAt),
            ("hardware_support_ends_at", window.HardwareSupportEndsAt),
        })
        {
            if (date is { Year: < YearMin or > YearMax })
            {
                return ProductErrors.DateOutOfRange(field);
            }

            if (date < window.DiscontinuedAt)
            {
                return ProductErrors.DatesInWrongOrder(field);
            }
        }

        return null;
    }
}
